//! Makes the header of the C interface, `include/imo2skype.h`.

fn main() {
    #[cfg(feature = "capi")]
    header::make();
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

    /// What cbindgen cannot be told: words for Rust's headline of the caller's duties, and the tag
    /// of the enum, which it would give to every use of a handle as well.
    fn for_c(section: &str) -> String {
        section
            .replace(" * # Safety\n *\n * ", " * Caller: ")
            .replace("typedef enum {", "typedef enum imo2skype_status {")
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
