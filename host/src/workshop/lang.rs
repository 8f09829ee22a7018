//! The language that a student is answered in. What the compiler and the host itself say stays as they say it.

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(super) enum Lang {
    #[default]
    En,
    Pt,
}

impl Lang {
    /// That of the terminal, as POSIX has it: LC_ALL where it is set, else LANG.
    pub(super) fn of_environment() -> Lang {
        Lang::of(["LC_ALL", "LANG"].map(|name| std::env::var(name).unwrap_or_default()))
    }

    fn of(names: [String; 2]) -> Lang {
        let first = names.into_iter().find(|name| !name.is_empty()).unwrap_or_default().to_lowercase();
        if first.split(['_', '.', '-', '@']).next() == Some("pt") { Lang::Pt } else { Lang::En }
    }

    pub(super) fn say<T>(self, en: T, pt: T) -> T {
        match self {
            Lang::En => en,
            Lang::Pt => pt,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn portuguese_is_spoken_where_the_terminal_speaks_it() {
        for (all, lang, expected) in [
            ("", "pt_BR.UTF-8", Lang::Pt),
            ("", "pt", Lang::Pt),
            ("", "PT-br", Lang::Pt),
            ("", "", Lang::En),
            ("", "C.UTF-8", Lang::En),
            ("", "ptx_BR", Lang::En),
            ("en_US.UTF-8", "pt_BR.UTF-8", Lang::En),
            ("pt_PT", "en_US.UTF-8", Lang::Pt),
        ] {
            assert_eq!(Lang::of([all.to_owned(), lang.to_owned()]), expected, "{all:?} {lang:?}");
        }
    }
}
