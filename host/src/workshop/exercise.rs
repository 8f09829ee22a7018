//! The exercises: what is laid out, and what is looked at. Solutions are nowhere in the program.

use super::data::Data;
use crate::exit::Stop;

#[derive(Debug)]
pub(super) struct Exercise {
    /// Of its folder and crate; begins with its number.
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) readme: &'static str,
    pub(super) skeleton: &'static str,
    data: &'static str,
}

macro_rules! exercise {
    ($name:literal, $title:literal) => {
        Exercise {
            name: $name,
            title: $title,
            readme: include_str!(concat!("exercises/", $name, "/README.md")),
            skeleton: include_str!(concat!("exercises/", $name, "/lib.rs.txt")),
            data: include_str!(concat!("exercises/", $name, "/data.json")),
        }
    };
}

pub(super) static ALL: [Exercise; 5] = [
    exercise!("1-bound", "Change the bound · Mude o limite"),
    exercise!("2-field", "Add a field · Acrescente um campo"),
    exercise!("3-route", "Route to two topics · Separe em dois tópicos"),
    exercise!("4-count", "Count by profession in windows · Conte por profissão em janelas"),
    exercise!("5-misbehave", "A plugin that misbehaves · Um plugin que se comporta mal"),
];

impl Exercise {
    pub(super) fn find(number: usize) -> Result<&'static Exercise, Stop> {
        number.checked_sub(1).and_then(|at| ALL.get(at)).ok_or_else(|| {
            Stop::usage(format!("there is no exercise {number}: they go from 1 to {}", ALL.len()))
                .hint("smt-host workshop list shows them")
        })
    }

    pub(super) fn number(&self) -> &'static str {
        self.name.split('-').next().unwrap_or_default()
    }

    /// Of the crate: one that begins with a digit cannot be.
    pub(super) fn package(&self) -> String {
        format!("exercise-{}", self.name)
    }

    pub(super) fn data(&self) -> Result<Data, Stop> {
        Data::read(self.data)
    }
}
