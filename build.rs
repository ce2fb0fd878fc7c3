//! Makes the header of the C interface, `include/imo2skype.h`.

fn main() {
    #[cfg(feature = "capi")]
    {
        header::make();
        // dlclose() leaves the library where it is: what its statics hold would be lost each time, and threads of a
        // session that was left open would run where nothing is any more.
        if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "linux") {
            println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
        }
    }
}

#[cfg(feature = "capi")]
mod header {
    use std::env;
    use std::fs;
    use std::path::Path;
    use std::path::PathBuf;

    /// The sections from top to bottom: a source file each, and its headline.
    const SECTIONS: &[(&str, &str)] = &[
        ("src/ffi/library.rs", "Status, version, errors"),
        ("src/ffi/config.rs", "Options"),
        ("src/ffi/session.rs", "Sessions"),
        ("src/ffi/gateway.rs", "Gateway (not in a library built without the feature \"gateway\")"),
        ("src/ffi/log.rs", "Log"),
    ];

    const GUARD: &str = "IMO2SKYPE_H";

    pub(crate) fn make() {
        let root = PathBuf::from(variable("CARGO_MANIFEST_DIR"));
        let built = Path::new(&variable("OUT_DIR")).join("imo2skype.h");
        let committed = root.join("include/imo2skype.h");
        let text = generate(&root);
        write(&built, &text);
        tell("rerun-if-changed=build.rs");
        tell("rerun-if-changed=cbindgen.toml");
        tell("rerun-if-changed=src/ffi");
        // An unpacked release is not written to.
        if root.join(".git").exists() {
            write(&committed, &text);
            tell("rerun-if-changed=include/imo2skype.h");
        }
        // For tests/c_api.rs, which compares the two.
        tell(&format!("rustc-env=IMO2SKYPE_BUILT_HEADER={}", built.display()));
    }

    fn generate(root: &Path) -> String {
        let mut config =
            cbindgen::Config::from_file(root.join("cbindgen.toml")).expect("cbindgen.toml is in this package");
        let introduction = config.header.take().expect("cbindgen.toml has the introduction");
        let mut text = format!("{}\n\n#ifndef {GUARD}\n#define {GUARD}\n\n", introduction.trim());
        text.push_str(
            "#include <stdint.h>\n\n/* The version of this header; imo2skype_version() is that of the library. */\n",
        );
        text.push_str(&format!("#define IMO2SKYPE_VERSION \"{}\"\n", variable("CARGO_PKG_VERSION")));
        for part in ["MAJOR", "MINOR", "PATCH"] {
            let number = variable(&format!("CARGO_PKG_VERSION_{part}"));
            text.push_str(&format!("#define IMO2SKYPE_VERSION_{part} {number}\n"));
        }
        text.push_str(
            "/* For comparing: #if IMO2SKYPE_VERSION_NUMBER >= 0x000200, that is 0.2.0. */\n\
             #define IMO2SKYPE_VERSION_NUMBER \\\n  ((IMO2SKYPE_VERSION_MAJOR << 16) | (IMO2SKYPE_VERSION_MINOR << 8) | IMO2SKYPE_VERSION_PATCH)\n",
        );
        text.push_str("\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n");
        for (file, headline) in SECTIONS {
            let mut section = Vec::new();
            cbindgen::Builder::new()
                .with_config(config.clone())
                .with_src(root.join(file))
                .generate()
                .expect("cbindgen understands src/ffi")
                .write(&mut section);
            let section = String::from_utf8(section).expect("cbindgen writes UTF-8");
            text.push_str(&format!("\n/* ---- {headline} {}\n\n{}\n", rule(headline), for_c(section.trim())));
        }
        text.push_str(&format!("\n#ifdef __cplusplus\n}}\n#endif\n\n#endif /* {GUARD} */\n"));
        text
    }

    /// What fills a headline up to the width of the page.
    fn rule(headline: &str) -> String {
        format!("{} */", "-".repeat(68usize.saturating_sub(headline.len())))
    }

    /// What cbindgen cannot be told: words for Rust's headline of the caller's duties, and the tags
    /// of the enums, which it would give to every use of a handle as well.
    fn for_c(section: &str) -> String {
        let mut parts = section.split("typedef enum {");
        let mut text = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let name = part.split_once("\n} ").and_then(|(_, end)| end.split_once(';')).expect("an enum has a name").0;
            text.push_str(&format!("typedef enum {name} {{{part}"));
        }
        text.replace(" * # Safety\n *\n * ", " * Caller: ")
    }

    /// Leaves a file alone that says so already, for the sake of time stamps.
    fn write(path: &Path, text: &str) {
        if fs::read_to_string(path).is_ok_and(|old| old == text) {
            return;
        }
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).expect("the folder of the header can be made");
        }
        fs::write(path, text).expect("the header can be written");
    }

    fn variable(name: &str) -> String {
        env::var(name).expect("set by Cargo")
    }

    fn tell(instruction: &str) {
        println!("cargo::{instruction}");
    }
}
