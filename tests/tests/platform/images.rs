//! The images' Dockerfiles: the rules that matter of those a linter has, and whether what they name is there.

use std::process::Stdio;

use serde_json::Value;
use smt_tests::host;

use super::{read, top};

const FILES: [&str; 2] = ["host/Dockerfile", "connectors/custom-kafka-connector-image/Dockerfile"];

/// Instructions with their arguments, comments left out and lines joined.
fn instructions(file: &str) -> Vec<(String, String)> {
    let text: String =
        read(file).lines().filter(|line| !line.starts_with('#')).map(|line| format!("{line}\n")).collect();
    let joined = text.replace("\\\n", " ");
    let lines = joined.lines().filter(|line| !line.trim().is_empty());
    lines
        .map(|line| line.split_once(' ').unwrap())
        .map(|(word, rest)| (word.to_owned(), rest.split_whitespace().collect::<Vec<_>>().join(" ")))
        .collect()
}

#[test]
fn bases_are_pinned_users_are_not_root_and_package_lists_are_cleaned() {
    for file in FILES {
        let instructions = instructions(file);
        for (word, rest) in &instructions {
            match word.as_str() {
                "FROM" => {
                    let (_, tag) = rest.split(' ').next().unwrap().rsplit_once(':').expect("a tag");
                    assert!(tag != "latest" && tag.contains(|c: char| c.is_ascii_digit()), "{file}: {rest}");
                }
                "RUN" if rest.contains("apt-get install") => {
                    for wanted in ["apt-get update &&", "--no-install-recommends", "rm -rf /var/lib/apt/lists/*"] {
                        assert!(rest.contains(wanted), "{file}: {rest} lacks {wanted}");
                    }
                }
                "ENTRYPOINT" | "CMD" => assert!(rest.starts_with('['), "{file}: {rest} runs in a shell"),
                "RUN" | "COPY" | "USER" | "WORKDIR" | "ENV" => assert!(!rest.contains("sudo"), "{file}: {rest}"),
                other => panic!("{file}: {other} is not used here"),
            }
        }
        let user = instructions.iter().rfind(|(word, _)| word == "USER").map(|(_, rest)| rest.as_str());
        assert!(user.is_some_and(|user| user != "root" && user != "0"), "{file}: user {user:?}");
    }
}

#[test]
fn what_the_image_copies_is_in_the_repository_or_put_out_by_its_build() {
    let instructions = instructions("host/Dockerfile");
    let (_, build) = instructions.iter().find(|(word, rest)| word == "RUN" && rest.contains("cargo build")).unwrap();
    for (_, rest) in instructions.iter().filter(|(word, _)| word == "COPY") {
        let mut paths: Vec<&str> = rest.split(' ').collect();
        paths.pop();
        let from_build = paths[0] == "--from=build";
        for path in paths.into_iter().skip(usize::from(from_build)) {
            match path.strip_prefix("/out/").filter(|_| from_build) {
                None => assert!(top().join(path).exists(), "{path} is not in the repository"),
                Some(name) => assert!(build.contains(name), "nothing puts {path} there"),
            }
        }
    }
    let (_, names) = build.split_once("plugins/build.sh ").unwrap();
    let built: Vec<&str> = names.split(' ').take_while(|word| *word != "&&").collect();
    assert_eq!(built, ["jovens", "idadeclass", "idadecont"]);
    let known = read("plugins/build.sh");
    for plugin in built {
        assert!(known.contains(plugin), "plugins/build.sh knows no {plugin}");
        assert!(build.contains(&format!("target/plugins/{plugin}.wasm")), "{plugin} is built, and left behind");
        assert!(read("host/image/smt-host.toml").contains(&format!("/plugins/{plugin}.wasm")), "{plugin} is not run");
    }
}

/// Elsewhere rustup picks the version that this file names, in the image the base's tag does.
#[test]
fn the_image_is_built_with_the_compiler_of_the_repository() {
    let toolchain = read("rust-toolchain.toml");
    let (_, version) = toolchain.split_once("channel = \"").unwrap();
    let (version, _) = version.split_once('"').unwrap();
    let (_, base) = &instructions("host/Dockerfile")[0];
    assert!(base.starts_with(&format!("rust:{version}-")), "{base} is not Rust {version}");
}

/// A workspace member that the image's build lacks is an error there, after minutes.
#[test]
fn every_workspace_member_is_copied_into_the_build() {
    let manifest = read("Cargo.toml");
    let members = manifest.lines().find(|line| line.starts_with("members")).unwrap();
    let copied = instructions("host/Dockerfile");
    for member in members.split('"').skip(1).step_by(2) {
        let top = member.split('/').next().unwrap();
        assert!(copied.iter().any(|(word, rest)| word == "COPY" && rest == &format!("{top} {top}")), "{member}");
    }
}

#[test]
fn every_command_of_image_and_compose_file_is_one_of_the_binarys() {
    let compose: Value = serde_yaml_ng::from_str(&read("docker-compose.yml")).unwrap();
    for service in ["smt-host", "generator"] {
        let command = compose["services"][service]["command"].as_array().unwrap();
        check(command.iter().map(|word| word.as_str().unwrap()));
    }
    let instructions = instructions("host/Dockerfile");
    let (_, command) = instructions.iter().rfind(|(word, _)| word == "CMD").unwrap();
    let command: Vec<String> = serde_json::from_str(command).unwrap();
    check(command.iter().map(String::as_str));
}

/// The subcommand is there, and knows each of the options.
fn check<'a>(mut words: impl Iterator<Item = &'a str>) {
    let subcommand = words.next().unwrap();
    let output = host::binary().args([subcommand, "--help"]).stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success(), "smt-host {subcommand} --help");
    let help = String::from_utf8(output.stdout).unwrap();
    for option in words.filter(|word| word.starts_with('-')) {
        let known = help.split([' ', '\n', ',', '[', '=']).any(|word| word == option);
        assert!(known, "smt-host {subcommand} does not know {option}");
    }
}

/// With the plugins where the tests have them.
#[test]
fn the_images_configuration_passes_the_hosts_own_check() {
    let plugins = smt_tests::plugin("jovens").parent().unwrap().to_owned();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("smt-host.toml");
    let text = read("host/image/smt-host.toml").replace("/usr/local/share/smt-host/plugins", plugins.to_str().unwrap());
    std::fs::write(&file, text).unwrap();
    let output = host::binary().args(["run", "--print-config", "--config"]).arg(&file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
