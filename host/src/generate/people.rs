//! Makes up one Brazilian person. What belongs together (sex and name, city, state and area code) stays together.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};

use super::names::{CITIES, City, MEN, PROFESSIONS, STREET_KINDS, STREETS, SURNAMES, WOMEN};

const DAY: i64 = 86_400_000_000;
const OLDEST: i64 = 90 * 365;

/// A row of `customers`.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) nome: String,
    pub(super) sexo: &'static str,
    pub(super) endereco: String,
    pub(super) telefone: String,
    pub(super) email: String,
    pub(super) foto: String,
    /// Days since 1970-01-01.
    pub(super) nascimento: i32,
    pub(super) profissao: &'static str,
    /// Microseconds since 1970-01-01, UTC.
    pub(super) dt_update: i64,
}

impl Person {
    pub(super) fn make_up(rng: &mut StdRng, dt_update: i64) -> Person {
        let (sexo, firsts) = if rng.random_bool(0.5) { ("F", WOMEN) } else { ("M", MEN) };
        let (first, middle, last) = (pick(rng, firsts), pick(rng, SURNAMES), pick(rng, SURNAMES));
        let nome = if middle == last { format!("{first} {last}") } else { format!("{first} {middle} {last}") };
        let city = CITIES.choose(rng).unwrap_or(&CITIES[0]);
        let number = rng.random_range(1..100_000);
        let born = dt_update.div_euclid(DAY) - rng.random_range(0..=OLDEST);
        Person {
            nome,
            sexo,
            endereco: address(rng, city),
            telefone: format!("({}) 9{:04}-{:04}", city.ddd, rng.random_range(0..10_000), rng.random_range(0..10_000)),
            email: format!("{}.{}{number}@example.com", plain(first), plain(last)),
            foto: format!("https://example.com/fotos/{:08x}.jpg", rng.next_u32()),
            nascimento: i32::try_from(born).unwrap_or(0),
            profissao: pick(rng, PROFESSIONS),
            dt_update,
        }
    }
}

fn pick(rng: &mut StdRng, list: &'static [&'static str]) -> &'static str {
    list.choose(rng).copied().unwrap_or_default()
}

fn address(rng: &mut StdRng, city: &City) -> String {
    let (kind, street) = (pick(rng, STREET_KINDS), pick(rng, STREETS));
    let number = rng.random_range(1..3000);
    let cep = format!("{}{:03}-{:03}", city.cep, rng.random_range(0..1000), rng.random_range(0..1000));
    format!("{kind} {street}, {number}, {} - {}, {cep}", city.name, city.uf)
}

/// Small letters without accents or spaces.
fn plain(name: &str) -> String {
    let letters = name.chars().flat_map(char::to_lowercase).filter_map(|letter| match letter {
        'á' | 'à' | 'â' | 'ã' => Some('a'),
        'é' | 'ê' => Some('e'),
        'í' => Some('i'),
        'ó' | 'ô' | 'õ' => Some('o'),
        'ú' => Some('u'),
        'ç' => Some('c'),
        other => Some(other).filter(char::is_ascii_lowercase),
    });
    letters.collect()
}
