//! Files that clients have read and written.

use std::fs;

use imo2skype::Config;
use imo2skype::Session;
use imo2skype::backend::Event;
use imo2skype::model::Handle;

use crate::GUARD;
use crate::fake::Answer;
use crate::fake::Fake;

#[test]
fn a_picture_is_in_its_file_when_the_reply_comes() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut config = Config::new("alice", "secret");
    config.files = folder.path().to_str().map(str::to_owned);
    let network = Fake::new(Answer::Accepts);
    let session = Session::with_backend(&config, Box::new(network.clone())).expect("a session");
    let picture: &[u8] = b"\xff\xd8\xffpicture";
    network.deliver(Event::Avatar { user: Handle::new("bob"), picture: Some(picture.into()) });

    let path = folder.path().join("bob.jpg");
    let ask = format!("GET USER bob AVATAR 1 {}", path.display());
    assert_eq!(session.invoke(&ask, GUARD).expect("a reply"), ask["GET ".len()..]);
    assert_eq!(fs::read(&path).expect("written"), picture);
    assert_eq!(session.invoke(&ask, GUARD).expect("a reply"), "ERROR 124 GET Destination file is not empty");

    let set = format!("SET AVATAR 1 {}", path.display());
    assert_eq!(session.invoke(&set, GUARD).expect("a reply"), set["SET ".len()..]);
    let outside = session.invoke("SET AVATAR 1 /etc/hostname", GUARD).expect("a reply");
    assert_eq!(outside, "ERROR 111 SET File not found");
}

#[test]
fn without_a_folder_no_file_is_touched() {
    let folder = tempfile::tempdir().expect("a folder");
    let network = Fake::new(Answer::Accepts);
    let session = Session::with_backend(&Config::new("alice", "secret"), Box::new(network.clone())).expect("a session");
    network.deliver(Event::Avatar { user: Handle::new("bob"), picture: Some(b"picture".as_slice().into()) });
    let ask = format!("GET USER bob AVATAR 1 {}", folder.path().join("bob.jpg").display());
    assert_eq!(session.invoke(&ask, GUARD).expect("a reply"), "ERROR 121 GET File path doesn't exist");
    assert_eq!(fs::read_dir(folder.path()).expect("the folder").count(), 0);
}
