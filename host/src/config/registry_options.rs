//! The registry as the command line says it: its secrets may stand in files.

use std::path::PathBuf;

use super::{Registry, Secret};

#[derive(clap::Args, Debug, Clone, Default)]
pub struct RegistryOptions {
    #[command(flatten)]
    registry: Registry,
    /// File with the registry user's password
    #[arg(long, env = "SMT_REGISTRY_PASSWORD_FILE", value_name = "FILE", conflicts_with = "password")]
    registry_password_file: Option<PathBuf>,
    /// File with the registry's bearer token
    #[arg(long, env = "SMT_REGISTRY_TOKEN_FILE", value_name = "FILE", conflicts_with = "token")]
    registry_token_file: Option<PathBuf>,
}

impl RegistryOptions {
    pub fn registry(&self) -> Registry {
        let mut registry = self.registry.clone();
        registry.password = registry.password.or(self.registry_password_file.as_deref().map(Secret::in_file));
        registry.token = registry.token.or(self.registry_token_file.as_deref().map(Secret::in_file));
        registry
    }
}
