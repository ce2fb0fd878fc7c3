//! What every network owes, tried on every back end: one suite, at the border that the session uses.
//!
//! A test is written from the documentation of `Backend`, `Action`, `Task` and `Event` alone. One that needs an ability
//! asks for it first, and is skipped, aloud, where the network has not got it. Where networks may differ without
//! doing wrong, the test takes any of what is allowed, or [`Quirks`](network::Quirks) says what this one does.

mod hub;
#[cfg(all(feature = "gateway", feature = "imo"))]
mod imo;
mod network;
mod person;
mod view;

mod avatars;
mod calls;
mod contacts;
mod conversations;
mod login;
mod loss;
mod messages;
mod presence;

/// Every test on every network. One that is not listed here is dead code, and the compiler says so.
macro_rules! on_every_network {
    ($($module:ident: $($test:ident)+;)+) => {
        mod on_a_hub {
            $($(#[test] fn $test() { crate::$module::$test(&crate::hub::Hub::default()); })+)+
        }

        #[cfg(all(feature = "gateway", feature = "imo"))]
        mod on_imo {
            $($(#[test] fn $test() { crate::$module::$test(&crate::imo::Imo::start()); })+)+
        }
    };
}

on_every_network! {
    login:
        a_login_tells_who_we_are_and_whom_we_know
        a_wrong_password_is_refused_and_the_right_one_still_works
        a_network_that_is_not_there_is_unreachable_and_later_is_there
        logging_out_is_seen_and_logging_in_again_works
        a_second_login_sees_what_the_first_did
        a_stop_cuts_short_and_nothing_is_heard_after_it
        a_stop_with_grace_says_goodbye;
    contacts:
        a_contact_is_asked_and_agrees
        a_contact_is_asked_and_denies
        a_removed_contact_is_none_any_more
        who_is_blocked_is_not_heard_and_sees_nobody
        a_name_of_ones_own_is_kept
        who_does_not_exist_cannot_be_added;
    presence:
        presence_goes_both_ways
        who_is_invisible_looks_offline
        moods_go_both_ways
        typing_goes_both_ways
        another_login_hears_of_our_presence;
    messages:
        bodies_arrive_as_they_were_sent
        the_longest_body_arrives
        messages_arrive_in_order
        two_talk_at_once
        a_message_waits_for_who_is_away
        a_message_to_nobody_fails
        messages_submitted_offline_are_sent_later;
    loss:
        a_cut_loses_nothing_and_doubles_nothing
        what_was_missed_comes_after_the_cut
        every_task_has_one_outcome_whatever_happens
        presence_is_caught_up_after_a_cut;
    conversations:
        a_conversation_is_founded_and_everybody_hears_everybody
        somebody_is_invited_later
        somebody_is_kicked
        somebody_leaves
        the_topic_is_everybodys
        two_conversations_are_two
        a_conversation_is_still_there_after_a_cut;
    avatars:
        a_picture_reaches_those_who_know_us
        a_picture_is_taken_away;
    calls:
        a_call_is_placed_answered_and_ended
        a_call_is_refused
        a_caller_gives_up
        who_is_away_cannot_be_called;
}
