//! A history is written out as text, or read in. Nobody is logged in for that.

use std::fs::File;
use std::io::BufReader;
use std::io::BufWriter;
use std::io::IsTerminal;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;

use imo2skype::Config;
use imo2skype::store::Store;
use imo2skype::store::TransferError;

use crate::data::DataDir;
use crate::data::make_directory;
use crate::failure::Failure;
use crate::failure::complain;
use crate::options::Arguments;
use crate::plan;
use crate::plan::Wanted;

/// After how many lines whoever waits at a terminal is told how far it is.
const PROGRESS: u64 = 100_000;

/// Which way, and where the text is; `-` is a standard stream.
pub(crate) enum Transfer {
    Export(PathBuf),
    Import(PathBuf),
}

/// Does it with the history that the other options would use.
pub(crate) fn run(transfer: Transfer, arguments: Arguments) -> Result<(), Failure> {
    let Wanted { whole, accounts } = Wanted::of(arguments.settings, arguments.config)?;
    let [settings] = &accounts[..] else {
        return Err(Failure::usage("the configuration file has several accounts; say whose history it is by USERNAME"));
    };
    let mut config = plan::name(settings)?;
    let data_dir = DataDir::new(plan::absolute(whole.data_dir)?);
    let directory = plan::place_history(&mut config, settings.history.clone(), &data_dir)??;
    if config.history == plan::MEMORY {
        return Err(Failure::usage("history: memory is no file that something could be written out of or read into"));
    }
    match transfer {
        Transfer::Export(text) => export(&config, &text),
        Transfer::Import(text) => {
            directory.as_deref().map_or(Ok(()), make_directory)?;
            import(&config, &text)
        }
    }
}

fn export(config: &Config, text: &Path) -> Result<(), Failure> {
    let failed = |error| failed(text, error);
    if text == Path::new("-") {
        return write_out(config, std::io::stdout().lock()).map(drop).map_err(failed);
    }
    // Whatever is no file, such as a pipe, is not replaced by one.
    let replaced = text.metadata().is_ok_and(|metadata| !metadata.is_file());
    let mut part = text.as_os_str().to_owned();
    part.push(".part");
    let part = if replaced { text.to_owned() } else { PathBuf::from(part) };
    let written = create(&part)
        .map_err(TransferError::from)
        .and_then(|file| write_out(config, file))
        .and_then(|file| if replaced { Ok(()) } else { finish(&file, &part, text) });
    if written.is_err() && !replaced {
        // The text of an earlier time stays.
        let _ = std::fs::remove_file(&part);
    }
    written.map_err(failed)
}

fn finish(file: &File, part: &Path, text: &Path) -> Result<(), TransferError> {
    file.sync_all()?;
    Ok(std::fs::rename(part, text)?)
}

/// Nobody else may read what people write to each other.
fn create(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn write_out<W: Write>(config: &Config, output: W) -> Result<W, TransferError> {
    let mut output = BufWriter::new(output);
    let history = Path::new(&config.history);
    Store::export(history, &config.network, &config.username, &mut output, &mut progress("written"))?;
    output.into_inner().map_err(|error| error.into_error().into())
}

fn import(config: &Config, text: &Path) -> Result<(), Failure> {
    let imported = if text == Path::new("-") {
        read_in(config, std::io::stdin().lock())
    } else {
        File::open(text).map_err(TransferError::from).and_then(|file| read_in(config, BufReader::new(file)))
    };
    let imported = imported.map_err(|error| failed(text, error))?;
    complain(&format!("{} lines were read, {} of them were new", imported.lines, imported.new));
    Ok(())
}

fn read_in(config: &Config, mut input: impl std::io::BufRead) -> Result<imo2skype::store::Imported, TransferError> {
    let history = Path::new(&config.history);
    Store::import(history, &config.network, &config.username, &mut input, &mut progress("read"))
}

fn failed(text: &Path, error: TransferError) -> Failure {
    match error {
        // Names its file, and knows nothing of the text.
        TransferError::Store(error) => Failure::service(error.chain()),
        error => Failure::service(format!("{}: {error}", text.display())),
    }
}

fn progress(what: &str) -> impl FnMut(u64) {
    let terminal = std::io::stderr().is_terminal();
    move |lines| {
        if terminal && lines % PROGRESS == 0 {
            complain(&format!("{lines} lines {what}"));
        }
    }
}
