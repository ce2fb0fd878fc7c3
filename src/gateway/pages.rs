//! What a browser or a client fetches besides the protocol: start page, pictures, the page of a call.

use std::borrow::Cow;

use axum::body::to_bytes;
use axum::extract::Path;
use axum::extract::Request;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::HeaderName;
use axum::http::StatusCode;
use axum::http::header;
use axum::response::Html;
use axum::response::IntoResponse;
use axum::response::Redirect;
use axum::response::Response;

use super::calls::View;
use super::core::token;
use super::http::Gateway;

/// The biggest form that a page posts, in bytes.
const FORM_LIMIT: usize = 1_024;

const START_PAGE: &str = "<!doctype html>
<html lang=\"en\">
<meta charset=\"utf-8\">
<title>imo2skype gateway</title>
<h1>imo2skype gateway</h1>
<p>This is a chat server that speaks the imo.im JSON protocol. Give its address to imo2sproxy with
<code>--server</code>.</p>
";

const STYLE: &str = "
body { font: 1.1rem/1.5 system-ui, sans-serif; max-width: 26rem; margin: 12vh auto 0; padding: 0 1rem;
  color: #1c2733; background: #f6f8fa; text-align: center; }
h1 { font-size: 1.4rem; font-weight: 600; overflow-wrap: anywhere; }
.state { color: #4a5a6a; }
button { font: inherit; color: #fff; border: 0; border-radius: .4rem; padding: .5rem 1.4rem; margin: .3rem; }
.accept { background: #1a7f37; }
.hangup { background: #b3261e; }
form { display: inline; }
small { display: block; margin-top: 2.5rem; color: #5c6b7a; }
";

pub(super) async fn start(State(gateway): State<Gateway>) -> Response {
    let Some(value) = token() else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    let secure = if gateway.tls { "; Secure" } else { "" };
    let cookie = format!("imo={value}; Path=/; HttpOnly; SameSite=Lax{secure}");
    ([(header::SET_COOKIE, cookie)], Html(START_PAGE)).into_response()
}

/// `GET /b/<icon>` (imo-protocol 1). Another picture has another name, so it may be kept for ever.
pub(super) async fn picture(State(gateway): State<Gateway>, Path(icon): Path<String>, headers: HeaderMap) -> Response {
    let (kind, data) = match gateway.service.picture(icon.clone()).await {
        Ok(Some(picture)) => picture,
        Ok(None) => return StatusCode::NOT_FOUND.into_response(),
        Err(_) => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    };
    let tag = format!("\"{icon}\"");
    let known = headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let about = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "private, max-age=31536000, immutable".to_owned()),
        (header::ETAG, tag),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox".to_owned()),
    ];
    if known { (StatusCode::NOT_MODIFIED, about).into_response() } else { (about, data).into_response() }
}

/// `GET /call/<page>`.
pub(super) async fn call(State(gateway): State<Gateway>, Path(page): Path<String>) -> Response {
    match gateway.service.view_call(page).await {
        Ok(Some(view)) => shown(StatusCode::OK, &Shown::of(&view)),
        Ok(None) => shown(StatusCode::NOT_FOUND, &Shown::over()),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// `POST /call/<page>`: a button was pressed.
pub(super) async fn press(State(gateway): State<Gateway>, Path(page): Path<String>, request: Request) -> Response {
    // The name is sent back below, and is no more than letters and digits if there is such a page.
    if !page.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return shown(StatusCode::NOT_FOUND, &Shown::over());
    }
    if !is_same_origin(request.headers()) {
        return (StatusCode::FORBIDDEN, "this form is pressed on its own page only\n").into_response();
    }
    let Ok(form) = to_bytes(request.into_body(), FORM_LIMIT).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let accept = match form.as_ref() {
        b"action=accept" => true,
        b"action=hangup" => false,
        _ => return (StatusCode::BAD_REQUEST, "action is accept or hangup\n").into_response(),
    };
    match gateway.service.press(page.clone(), accept).await {
        // Relative to the page, so that it holds behind a proxy with a path of its own.
        Ok(_) => ([(header::CACHE_CONTROL, "no-store")], Redirect::to(&page)).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// Whether the page that sends the form came from here: `Origin`, or `Referer` where a browser
/// sends no `Origin`. Only the host is compared, for a proxy may speak TLS in our place.
fn is_same_origin(headers: &HeaderMap) -> bool {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(host) = text(header::HOST) else { return false };
    let Some(origin) = text(header::ORIGIN).or_else(|| text(header::REFERER)) else { return false };
    let Some((scheme, rest)) = origin.split_once("://") else { return false };
    let authority = rest.split('/').next().unwrap_or_default();
    matches!(scheme, "http" | "https") && authority.eq_ignore_ascii_case(host)
}

/// What a page says.
struct Shown {
    title: String,
    state: &'static str,
    buttons: &'static [(&'static str, &'static str)],
}

const ACCEPT: (&str, &str) = ("accept", "Accept");
const HANG_UP: (&str, &str) = ("hangup", "Hang up");

impl Shown {
    fn of(view: &View) -> Self {
        let View { own, other, is_initiator, answered } = view;
        let (own, other) = (person(&own.name, &own.alias), person(&other.name, &other.alias));
        let title = if *is_initiator { format!("{own} calls {other}") } else { format!("{other} calls {own}") };
        let (state, buttons): (_, &[_]) = match (answered, is_initiator) {
            (true, _) => ("In progress", &[HANG_UP]),
            (false, true) => ("Ringing", &[HANG_UP]),
            (false, false) => ("Ringing", &[ACCEPT, HANG_UP]),
        };
        Self { title, state, buttons }
    }

    fn over() -> Self {
        Self { title: "Call".to_owned(), state: "Over", buttons: &[] }
    }
}

/// The name of somebody for people.
fn person(name: &str, alias: &str) -> String {
    if alias.is_empty() || alias.eq_ignore_ascii_case(name) { name.to_owned() } else { format!("{alias} ({name})") }
}

fn shown(status: StatusCode, shown: &Shown) -> Response {
    // Names the one style that the browser may take.
    let Some(nonce) = token() else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    let policy = format!(
        "default-src 'none'; style-src 'nonce-{nonce}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    let headers = [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::CACHE_CONTROL, "no-store".to_owned()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        // The address is a secret; a form of this page still says where it comes from.
        (header::REFERRER_POLICY, "same-origin".to_owned()),
    ];
    (status, headers, Html(html(shown, &nonce))).into_response()
}

fn html(shown: &Shown, nonce: &str) -> String {
    let Shown { title, state, buttons } = shown;
    let title = escape(title);
    // What is over does not change any more.
    let refresh = if buttons.is_empty() { "" } else { "<meta http-equiv=\"refresh\" content=\"3\">\n" };
    let forms: String = buttons
        .iter()
        .map(|(action, word)| {
            format!("<form method=\"post\"><button class=\"{action}\" name=\"action\" value=\"{action}\">{word}</button></form>\n")
        })
        .collect();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n{refresh}\
         <title>{title}: {state}</title>\n<style nonce=\"{nonce}\">{STYLE}</style>\n\
         <h1>{title}</h1>\n<p class=\"state\">{state}</p>\n{forms}\
         <small>This page carries no sound: it tells the other side that you call, answer or hang up.</small>\n"
    )
}

/// `text` as it may stand between tags.
fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>', '"', '\'']) {
        return text.into();
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(letter),
        }
    }
    escaped.into()
}

#[cfg(test)]
mod tests {
    use super::super::accounts::User;
    use super::*;

    fn user(name: &str, alias: &str) -> User {
        User { id: 1, name: name.to_owned(), alias: alias.to_owned(), mood: String::new() }
    }

    #[test]
    fn a_page_says_who_calls_whom_and_what_can_be_done() {
        // initiator, answered, words, words that are not there
        let table: [(bool, bool, &[&str], &[&str]); 3] = [
            (true, false, &["alice calls Bob &lt;B&gt; (bob)", "Ringing", "Hang up", "refresh"], &["Accept"]),
            (false, false, &["Bob &lt;B&gt; (bob) calls alice", "Ringing", "Hang up", "Accept"], &["<B>"]),
            (false, true, &["In progress", "Hang up"], &["Accept"]),
        ];
        for (is_initiator, answered, words, others) in table {
            let view = View { own: user("alice", "Alice"), other: user("bob", "Bob <B>"), is_initiator, answered };
            let page = html(&Shown::of(&view), "n");
            assert!(words.iter().all(|word| page.contains(word)), "{page}");
            assert!(!others.iter().any(|word| page.contains(word)), "{page}");
        }
        let page = html(&Shown::over(), "n");
        assert!(page.contains("Over") && !page.contains("button>") && !page.contains("refresh"), "{page}");
    }

    #[test]
    fn nothing_in_a_name_is_markup() {
        assert_eq!(escape("<a href=\"x\" b='y'>&amp;"), "&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;amp;");
        assert_eq!(escape("plain \u{e9}"), "plain \u{e9}");
    }

    #[test]
    fn forms_come_from_here() {
        let table: [(&[(HeaderName, &str)], bool); 9] = [
            (&[(header::HOST, "h:1"), (header::ORIGIN, "http://h:1")], true),
            (&[(header::HOST, "h:1"), (header::ORIGIN, "https://H:1")], true),
            (&[(header::HOST, "h:1"), (header::REFERER, "http://h:1/call/x")], true),
            (&[(header::HOST, "h:1"), (header::ORIGIN, "http://h")], false),
            (&[(header::HOST, "h:1"), (header::ORIGIN, "null"), (header::REFERER, "http://h:1/")], false),
            (&[(header::HOST, "h:1"), (header::ORIGIN, "http://evil/h:1")], false),
            (&[(header::HOST, "h:1"), (header::REFERER, "http://evil/?http://h:1/")], false),
            (&[(header::HOST, "h:1")], false),
            (&[(header::ORIGIN, "http://h:1")], false),
        ];
        for (headers, wanted) in table {
            let map = headers.iter().map(|(name, text)| (name.clone(), text.parse().expect("text"))).collect();
            assert_eq!(is_same_origin(&map), wanted, "{headers:?}");
        }
    }
}
