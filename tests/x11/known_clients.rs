//! The clients of the time, one by one and together.

use crate::programs::Running;
use crate::programs::alice;
use crate::programs::attached;
use crate::programs::client;
use crate::programs::compile;
use crate::programs::daemon;
use crate::programs::home;
use crate::programs::succeeds;
use crate::screen::Screen;

#[test]
fn every_known_client_finds_its_skype() {
    let (home, screen) = (home(), Screen::start());
    let daemon = alice(&home, &screen);
    let programs = ["skype4py", "java", "berkus"].map(|name| (name, compile(&home, name)));
    // Together, and each twice: with the same numbers for their commands.
    let mut children = Vec::new();
    for (name, program) in programs.iter().chain(&programs) {
        children.push((name, client(program, &screen, &[]).spawn().expect("what was compiled runs")));
    }
    for (name, child) in children {
        succeeds(name, child);
    }
    // Alone, because it goes offline at its end.
    let libskype = compile(&home, "libskype");
    succeeds("libskype", client(&libskype, &screen, &[]).spawn().expect("what was compiled runs"));
    assert_eq!(daemon.stop(), "");
}

#[test]
fn replies_are_for_the_asker_alone() {
    let (home, screen) = (home(), Screen::start());
    let daemon = alice(&home, &screen);
    let pipe = compile(&home, "pipe");
    let mut tools = [(); 3].map(|()| attached(&pipe, &screen));
    let commands = ["#1 GET USERSTATUS", "#1 GET CURRENTUSERHANDLE", "#1 PING"];
    let replies = ["#1 USERSTATUS ONLINE", "#1 CURRENTUSERHANDLE alice", "#1 PONG"];
    for _ in 0..20 {
        for (tool, command) in tools.iter_mut().zip(commands) {
            tool.send(command);
        }
        for (tool, reply) in tools.iter_mut().zip(replies) {
            assert_eq!(tool.wait("#1"), reply);
        }
    }
    // A change is told to all.
    tools[0].send("SET USERSTATUS AWAY");
    for tool in &mut tools {
        tool.wait("USERSTATUS AWAY");
    }
    assert_eq!(daemon.stop(), "");
}

#[test]
fn people_on_two_displays_become_contacts_and_exchange_messages() {
    let (home, screens) = (home(), [Screen::start(), Screen::start()]);
    let accounts = screens.iter().zip(["alice", "bob"]);
    let tables =
        accounts.map(|(screen, name)| format!("[[account]]\nusername = '{name}'\ndisplay = '{}'\n", screen.name()));
    let config = format!("mode = 'x'\n{}", tables.collect::<String>());
    std::fs::write(home.path().join("config"), config).expect("a file");
    let mut daemon = Running::start(daemon(&home, &["--config", "config"]));
    daemon.wait("listening: gateway ");
    let pipe = compile(&home, "pipe");
    let [mut alice, mut bob] = [&screens[0], &screens[1]].map(|screen| attached(&pipe, screen));
    alice.send("SET USER bob BUDDYSTATUS 2 Please, let me see you");
    bob.wait("USER alice RECEIVEDAUTHREQUEST Please, let me see you");
    bob.send("SET USER alice ISAUTHORIZED TRUE").wait("USER alice ONLINESTATUS ONLINE");
    alice.wait("USER bob ONLINESTATUS ONLINE");
    let long = "many letters ".repeat(60);
    for (to_bob, body) in
        [(true, "gr\u{fc}\u{df} dich, \u{20ac} \u{1f600}\u{1f600}\u{1f600}"), (false, long.trim_end())]
    {
        let (from, to, name) = if to_bob { (&mut alice, &mut bob, "bob") } else { (&mut bob, &mut alice, "alice") };
        from.send(&format!("#1 MESSAGE {name} {body}"));
        assert!(from.wait("#1").starts_with("#1 CHATMESSAGE "));
        let head = loop {
            let line = to.wait("CHATMESSAGE ");
            if let Some(head) = line.strip_suffix(" STATUS RECEIVED") {
                break head.to_owned();
            }
        };
        to.send(&format!("#2 GET {head} BODY"));
        assert_eq!(to.wait("#2"), format!("#2 {head} BODY {body}"));
    }
    assert_eq!(daemon.stop(), "");
}
