//! The routes; of them the protocol itself, health and metrics. What people see is in `pages`.

use std::borrow::Cow;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::body::HttpBody;
use axum::extract::ConnectInfo;
use axum::extract::Request;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header;
use axum::response::IntoResponse;
use axum::response::Response;
use axum::routing::get;
use axum::routing::post;
use percent_encoding::percent_decode;
use serde_json::json;

use super::pages;
use super::service::Failure;
use super::service::Service;

/// The biggest request.
const BODY_LIMIT: usize = 1 << 20;
/// So much is read of a bigger one before it is refused.
const READ_LIMIT: usize = 8 << 20;
/// How long it may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(30);

#[derive(Clone)]
pub(super) struct Gateway {
    pub(super) service: Arc<Service>,
    pub(super) tls: bool,
}

/// All routes of a gateway.
pub(crate) fn router(service: Arc<Service>, tls: bool) -> Router {
    Router::new()
        .route("/", get(pages::start))
        .route("/b/{icon}", get(pages::picture))
        .route("/call/{page}", get(pages::call).post(pages::press))
        .route("/imo", post(imo))
        .route("/healthz", get(health))
        .route("/metrics", get(metrics))
        .with_state(Gateway { service, tls })
}

async fn health(State(gateway): State<Gateway>) -> Response {
    let healthy = gateway.service.count_waiting().await.is_ok();
    let status = if healthy { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = json!({
        "status": if healthy { "ok" } else { "database failure" },
        "version": env!("CARGO_PKG_VERSION"),
        "sessions": gateway.service.metrics().sessions.get(),
        "waiting": gateway.service.metrics().messages_waiting.get(),
    });
    answer(status, body.to_string())
}

async fn metrics(State(gateway): State<Gateway>) -> Response {
    // What cannot be read is counted among the errors; the page is there all the same.
    drop(gateway.service.count_waiting().await);
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], gateway.service.metrics().text()).into_response()
}

async fn imo(
    State(gateway): State<Gateway>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let headers = request.headers();
    let kind = headers.get(header::CONTENT_TYPE).map_or(b"".as_slice(), |kind| kind.as_bytes());
    let form = b"application/x-www-form-urlencoded";
    if !kind.get(..form.len()).is_some_and(|start| start.eq_ignore_ascii_case(form)) {
        return refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content-type must be application/x-www-form-urlencoded");
    }
    let body = match read(request).await {
        Ok(body) => body,
        Err(refused) => return refused,
    };
    let (method, data) = match fields(&body) {
        Ok(fields) => fields,
        Err(problem) => return refuse(StatusCode::BAD_REQUEST, &problem),
    };
    match gateway.service.post(&method, &data, address.ip()).await {
        Ok(done) => match serde_json::to_string(&done) {
            Ok(text) => answer(StatusCode::OK, text),
            Err(_) => refuse(StatusCode::INTERNAL_SERVER_ERROR, "internal error"),
        },
        Err(Failure::Malformed(problem)) => refuse(StatusCode::BAD_REQUEST, &problem),
        Err(Failure::Full) => refuse(StatusCode::SERVICE_UNAVAILABLE, "too many sessions; try again later"),
        Err(Failure::Internal) => refuse(StatusCode::INTERNAL_SERVER_ERROR, "internal error; try again later"),
    }
}

/// The body. One that is too long is still read, up to a point: a client that is answered while
/// it writes may take the answer for a broken connection. Beyond that point, by the announced
/// length if there is one, and when a body does not come, nobody waits.
async fn read(request: Request) -> Result<Vec<u8>, Response> {
    let too_long = || refuse(StatusCode::PAYLOAD_TOO_LARGE, "a request takes up to 1 MiB");
    let length = request.headers().get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > READ_LIMIT) {
        return Err(too_long());
    }
    match tokio::time::timeout(BODY_TIME, collect(request.into_body())).await {
        Ok(Some(body)) => Ok(body),
        // A connection that broke off gets the same answer, and does not read it.
        Ok(None) => Err(too_long()),
        Err(_) => Err(refuse(StatusCode::REQUEST_TIMEOUT, "the body did not come within 30 s")),
    }
}

/// `None` for a body that is too long or breaks off.
async fn collect(mut body: Body) -> Option<Vec<u8>> {
    let mut kept = Vec::new();
    let mut length = 0;
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let Ok(data) = frame.ok()?.into_data() else { continue };
        length += data.len();
        if length > READ_LIMIT {
            return None;
        }
        if length <= BODY_LIMIT {
            kept.extend_from_slice(&data);
        } else {
            kept = Vec::new();
        }
    }
    (length <= BODY_LIMIT).then_some(kept)
}

fn answer(status: StatusCode, body: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (status, headers, body).into_response()
}

/// An answer outside the protocol; a client that reads envelopes only finds none in it.
fn refuse(status: StatusCode, problem: &str) -> Response {
    tracing::debug!(status = status.as_u16(), problem, "refused");
    answer(status, json!({ "method": "error", "error": problem }).to_string())
}

/// The form fields `method` and `data`. The usual form readers replace what is no UTF-8; here it
/// is an error, because a message must arrive as it was sent.
pub(super) fn fields(body: &[u8]) -> Result<(String, String), String> {
    let mut method = None;
    let mut data = None;
    for field in body.split(|byte| *byte == b'&') {
        let mut halves = field.splitn(2, |byte| *byte == b'=');
        let name = halves.next().unwrap_or_default();
        let slot = match name {
            b"method" => &mut method,
            b"data" => &mut data,
            _ => continue,
        };
        let name = String::from_utf8_lossy(name);
        let value = decode(halves.next().unwrap_or_default()).ok_or_else(|| format!("{name} is no UTF-8"))?;
        if slot.replace(value).is_some() {
            return Err(format!("the form field {name} is there twice"));
        }
    }
    Ok((method.ok_or("the form field method is missing")?, data.ok_or("the form field data is missing")?))
}

fn decode(text: &[u8]) -> Option<String> {
    let text: Cow<'_, [u8]> = if text.contains(&b'+') {
        text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect::<Vec<_>>().into()
    } else {
        text.into()
    };
    percent_decode(&text).decode_utf8().ok().map(Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn form_fields() {
        type Wanted = Result<(&'static str, &'static str), &'static str>;
        let table: [(&[u8], Wanted); 8] = [
            (b"method=a&data=%7B%7D", Ok(("a", "{}"))),
            (b"data=a+b%2B%0a%25&x=y&method=", Ok(("", "a b+\n%"))),
            (b"data=a=b&method=m", Ok(("m", "a=b"))),
            ("data=\u{e9}%C3%A9&method=m".as_bytes(), Ok(("m", "\u{e9}\u{e9}"))),
            (b"method=a", Err("the form field data is missing")),
            (b"", Err("the form field method is missing")),
            (b"method=a&data=%FF", Err("data is no UTF-8")),
            (b"method=a&data=1&data=2", Err("the form field data is there twice")),
        ];
        for (body, wanted) in table {
            let wanted = wanted.map(|(a, b)| (a.to_owned(), b.to_owned())).map_err(str::to_owned);
            assert_eq!(fields(body), wanted, "{}", body.escape_ascii());
        }
    }
}
