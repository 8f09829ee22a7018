//! Which pipeline a command is about that runs none itself: its cluster, its group, its inputs and its store.

use std::path::PathBuf;

use super::addresses::Addresses;
use super::{build, state};
use crate::config::Config;
use crate::exit::Stop;
use crate::kafka::Settings;

#[derive(clap::Args, Debug, Clone)]
pub struct At {
    /// The pipeline's name; where it has one plugin and no name of its own, the plugin's
    #[arg(long, value_name = "NAME")]
    pub pipeline: Option<String>,
    /// Its consumer group [default: smt-<pipeline>]
    #[arg(long, env = "SMT_GROUP", value_name = "NAME")]
    pub group: Option<String>,
    /// A configuration file: for [kafka], state-dir, and the pipeline's group and inputs
    #[arg(long, env = "SMT_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    #[command(flatten)]
    pub addresses: Addresses,
}

/// What `At` comes to.
#[derive(Debug)]
pub struct Place {
    pub kafka: Settings,
    pub group: String,
    /// As the file says; empty where it says nothing.
    pub inputs: Vec<String>,
    /// The pipeline's store on this machine, there or not.
    pub store: PathBuf,
}

impl At {
    pub fn place(&self, state_dir: Option<PathBuf>) -> Result<Place, Stop> {
        let mut config = self.config.as_deref().map_or_else(|| Ok(Config::default()), Config::load)?;
        self.addresses.apply(&mut config)?;
        config.state_dir = state_dir.or(config.state_dir);
        let named = |name: &str| config.pipeline.iter().find(|pipeline| pipeline.name.as_deref() == Some(name));
        let of_file = self.pipeline.as_deref().and_then(named);
        let group = self.group.clone().or_else(|| of_file?.group.clone());
        let (pipeline, group) = match (&self.pipeline, group) {
            (Some(pipeline), group) => (pipeline.clone(), group.unwrap_or_else(|| format!("smt-{pipeline}"))),
            (None, Some(group)) => (group.strip_prefix("smt-").unwrap_or(&group).to_owned(), group),
            (None, None) => {
                return Err(Stop::usage("it is not said which pipeline is meant")
                    .hint("give --pipeline NAME, or --group NAME if its group is not smt-NAME"));
            }
        };
        Ok(Place {
            kafka: build::kafka(&config)?,
            inputs: of_file.map(|pipeline| pipeline.input.clone()).unwrap_or_default(),
            store: state::store(&config, &pipeline),
            group,
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        at: At,
    }

    fn place(args: &[&str]) -> Result<(String, String), Stop> {
        let line = Line::parse_from([&["x"], args].concat());
        let place = line.at.place(Some("/s".into()))?;
        Ok((place.group, place.store.display().to_string()))
    }

    #[test]
    fn a_pipeline_or_a_group_says_where() {
        for (args, group, store) in [
            (&["--pipeline", "p"][..], "smt-p", "/s/p/store"),
            (&["--pipeline", "p", "--group", "g"], "g", "/s/p/store"),
            (&["--group", "smt-p"], "smt-p", "/s/p/store"),
            (&["--group", "g"], "g", "/s/g/store"),
        ] {
            assert_eq!(place(args).unwrap(), (group.to_owned(), store.to_owned()), "{args:?}");
        }
        assert!(place(&[]).unwrap_err().to_string().contains("--pipeline NAME"));
    }

    #[test]
    fn a_file_knows_its_pipelines_groups_and_inputs() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("c.toml");
        std::fs::write(&file, "[[pipeline]]\nname = \"p\"\ngroup = \"g\"\ninput = [\"a\", \"b\"]\n").unwrap();
        let line = Line::parse_from(["x", "--pipeline", "p", "--config", file.to_str().unwrap()]);
        let place = line.at.place(None).unwrap();
        assert_eq!((place.group.as_str(), place.inputs), ("g", vec!["a".to_owned(), "b".to_owned()]));
    }
}
