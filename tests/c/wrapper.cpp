// The C++ wrapper: every function, every exception, moves, and callbacks that end in every way.
#include "check.h"

#include <imo2skype.hpp>

#include <atomic>
#include <cstdlib>
#include <future>
#include <thread>
#include <type_traits>

using namespace std::chrono_literals;
using imo2skype::Config;
using imo2skype::Gateway;
using imo2skype::Session;

static_assert(!std::is_copy_constructible_v<Session> && !std::is_copy_assignable_v<Session>);
static_assert(!std::is_copy_constructible_v<Config> && !std::is_copy_constructible_v<Gateway>);
static_assert(std::is_nothrow_move_constructible_v<Session> && std::is_nothrow_move_assignable_v<Session>);
static_assert(std::is_nothrow_move_constructible_v<Config> && std::is_nothrow_move_assignable_v<Config>);
static_assert(std::is_nothrow_move_constructible_v<Gateway> && std::is_nothrow_move_assignable_v<Gateway>);
static_assert(noexcept(std::declval<Session &>().close()) && noexcept(std::declval<Gateway &>().stop()));
static_assert(std::is_same_v<decltype(std::declval<Session &>().poll()), std::optional<std::string>>);

// The call throws just this, with this status and a text that has `words` in it.
template <typename Expected, typename Call>
static void throws(imo2skype_status status, std::string_view words, Call call) {
  try {
    call();
  } catch (const imo2skype::Error &error) {
    CHECK(typeid(error) == typeid(Expected));
    CHECK_STATUS(error.status(), status);
    if (std::string_view(error.what()).find(words) != std::string_view::npos) return;
    std::fprintf(stderr, "no \"%s\" in: %s\n", std::string(words).c_str(), error.what());
    std::exit(1);
  }
  CHECK(!"an exception");
}

template <typename Call>
static void is_closed(Call call) {
  throws<imo2skype::ClosedError>(IMO2SKYPE_CLOSED, "closed", call);
}

template <typename Call>
static void is_invalid(std::string_view words, Call call) {
  throws<imo2skype::InvalidArgumentError>(IMO2SKYPE_INVALID_ARGUMENT, words, call);
}

// Options for a session that asks no network.
static Config offline() {
  return Config("alice", "secret").set("autologin", "false").set("server", "http://127.0.0.1:9/");
}

static void skip_to(Session &session, std::string_view expected) {
  for (;;) {
    const auto line = session.poll(60s);
    CHECK(line.has_value());
    if (*line == expected) return;
  }
}

static void versions_and_words() {
  CHECK(imo2skype::version() == IMO2SKYPE_VERSION);
  CHECK(imo2skype::abi_version() == 1);
  CHECK(imo2skype::status_text(IMO2SKYPE_OK) == imo2skype_status_text(IMO2SKYPE_OK));
  const auto keys = imo2skype::keys();
  CHECK(std::find(keys.begin(), keys.end(), "server") != keys.end());
  for (const auto &key : keys) CHECK(!imo2skype::describe(key).empty());
  is_invalid("sever", [] { imo2skype::describe("sever"); });
  is_invalid("NUL", [] { imo2skype::describe(std::string("server\0x", 8)); });
}

static void options() {
  Config config("alice", "secret");
  config.set("queue_limit", "16").set("local_time", "true");
  is_invalid("known are", [&] { config.set("sever", "x"); });
  is_invalid("it takes", [&] { config.set("autologin", "perhaps"); });
  is_invalid("key: has a NUL", [&] { config.set(std::string("server\0", 7), ""); });
  is_invalid("value: has a NUL", [&] { config.set("server", std::string(1, '\0')); });
  is_invalid("username: has a NUL", [] { Config(std::string("alice\0", 6), "secret"); });
  throws<imo2skype::InvalidArgumentError>(IMO2SKYPE_INVALID_UTF8, "value: not UTF-8",
                                          [&] { config.set("server", "\xff"); });
  Config moved = std::move(config);
  moved.set("autologin", "false");
  is_invalid("config: is NULL", [&] { config.set("autologin", "false"); });
  is_invalid("config: is NULL", [&] { (void)Session::open(config); });
  config = std::move(moved);
  CHECK(Session::open(config).invoke("PING") == "PONG");
}

static void timeouts() {
  using imo2skype::detail::milliseconds;
  CHECK(milliseconds(std::nullopt) == -1 && milliseconds(std::chrono::milliseconds::max()) == -1);
  CHECK(milliseconds(std::chrono::milliseconds(1LL << 32)) == -1 && milliseconds(24h * 24) == 24 * 24 * 3600 * 1000);
  CHECK(milliseconds(0s) == 0 && milliseconds(-1ms) == 0 && milliseconds(std::chrono::milliseconds::min()) == 0);
}

static void lines() {
  auto session = Session::open(offline());
  session.send("#1 PING");
  skip_to(session, "#1 PONG");
  CHECK(!session.poll(0ms) && !session.poll(1ms) && !session.poll(-1h));
  session.send("#2 PING");
  CHECK(session.poll() == "#2 PONG");
  session.send("#3 PING");
  CHECK(session.poll(std::nullopt) == "#3 PONG");
  session.send("#4 PING");
  CHECK(session.poll(std::chrono::milliseconds::max()) == "#4 PONG");
  CHECK(session.invoke("PING") == "PONG");
  CHECK(session.invoke("DANCE", 0ms) == "ERROR 2 Unknown command");
  CHECK(session.invoke("PING", std::nullopt) == "PONG");
  CHECK(session.fd() >= 0 && session.fd() == session.fd());
  is_invalid("command: has a NUL", [&] { session.send(std::string("PING\0PING", 9)); });
  is_invalid("command: has a NUL", [&] { session.invoke(std::string("PING\0", 5)); });
  is_invalid("at most", [&] { session.send(std::string(2 << 20, 'x')); });
  throws<imo2skype::InvalidArgumentError>(IMO2SKYPE_INVALID_UTF8, "command", [&] { session.send("\xff"); });
  CHECK(!session.poll(0ms));
}

static void clients_of_one_login() {
  auto first = Session::open(offline());
  auto second = first.attach();
  CHECK(second.invoke("PROTOCOL 5") == "PROTOCOL 5" && first.invoke("PROTOCOL 9") == "PROTOCOL 8");
  first.close();
  CHECK(second.invoke("PING") == "PONG");
}

static void a_closed_session() {
  auto session = Session::open(offline());
  auto waiting = std::async(std::launch::async, [&] {
    is_closed([&] { while (session.poll()) continue; });
  });
  session.close();
  waiting.get();
  session.close();
  is_closed([&] { session.send("PING"); });
  is_closed([&] { (void)session.poll(0ms); });
  is_closed([&] { session.invoke("PING"); });
  is_closed([&] { (void)session.attach(); });
  is_closed([&] { session.fd(); });
  is_closed([&] { session.on_notification([](std::string_view) {}); });
}

static void a_moved_session() {
  std::promise<void> heard;
  auto here = Session::open(offline());
  here.on_notification([&, word = std::string("#1 PONG")](std::string_view line) {
    if (line == word) heard.set_value();
  });
  Session there = std::move(here);
  is_invalid("session: is NULL", [&] { here.send("PING"); });
  is_invalid("session: is NULL", [&] { (void)here.poll(); });
  is_invalid("session: is NULL", [&] { here.invoke("PING"); });
  is_invalid("session: is NULL", [&] { (void)here.attach(); });
  is_invalid("session: is NULL", [&] { here.fd(); });
  is_invalid("session: is NULL", [&] { here.on_notification([](std::string_view) {}); });
  here.close();
  there.send("#1 PING");
  heard.get_future().get();

  // What was there before is closed, with its callback.
  auto other = there.attach();
  there = std::move(other);
  CHECK(there.invoke("PING") == "PONG");
  there.send("#2 PING");
  skip_to(there, "#2 PONG");
  here = std::move(there);
  CHECK(here.invoke("PING") == "PONG");
}

static void the_network() {
  auto gateway = Gateway::start();
  const auto url = gateway.url();
  CHECK(url.find("http://127.0.0.1:") == 0);
  {
    auto session = Session::open(Config("alice", "secret").set("server", url));
    session.send("MESSAGE echo123 hello");
    for (bool echoed = false; !echoed;) {
      const auto line = session.poll(60s);
      CHECK(line.has_value());
      echoed = line->find(" STATUS RECEIVED") != std::string::npos;
    }
  }
  throws<imo2skype::LoginRefusedError>(IMO2SKYPE_LOGIN_REFUSED, "alice", [&] {
    (void)Session::open(Config("alice", "wrong").set("server", url));
  });
  Gateway moved = std::move(gateway);
  CHECK(moved.url() == url);
  is_invalid("gateway: is NULL", [&] { (void)gateway.url(); });
  gateway.stop();
  moved.stop();
  moved.stop();
  CHECK(moved.url() == url);
  throws<imo2skype::NetworkError>(IMO2SKYPE_NETWORK, "127.0.0.1", [&] {
    (void)Session::open(Config("alice", "secret").set("server", url));
  });
  throws<imo2skype::StoreError>(IMO2SKYPE_STORE, "nowhere", [] { (void)Gateway::start("/nowhere/at/all.db"); });
  is_invalid("database: has a NUL", [] { (void)Gateway::start(std::string("a\0b", 3)); });
}

static void a_full_queue() {
  auto session = Session::open(offline().set("queue_limit", "16"));
  throws<imo2skype::QueueFullError>(IMO2SKYPE_QUEUE_FULL, "16", [&] { for (;;) session.send("PING"); });
  while (session.poll(0ms)) continue;
  session.send("#1 PING");
  CHECK(session.poll() == "#1 PONG");
}

static void every_status_is_an_exception() {
  throws<imo2skype::Error>(IMO2SKYPE_INTERNAL, "", [] { imo2skype::detail::check(IMO2SKYPE_INTERNAL); });
  throws<imo2skype::Error>(IMO2SKYPE_TIMEOUT, "", [] { imo2skype::detail::check(IMO2SKYPE_TIMEOUT); });
  imo2skype::detail::check(IMO2SKYPE_OK);
}

// ---- Callbacks -------------------------------------------------------------

// What a callback holds, and tells when it lets go.
struct Held {
  std::promise<void> let_go;
  std::shared_ptr<int> thing{new int(0), [this](int *number) {
                               delete number;
                               let_go.set_value();
                             }};
  std::weak_ptr<int> seen = thing;

  bool gone() const { return seen.expired(); }
};

static void lines_by_callback() {
  auto session = Session::open(offline());
  Held held;
  std::promise<void> last;
  int next = 0;
  session.on_notification([&, thing = std::move(held.thing)](std::string_view line) {
    if (line != "#" + std::to_string(next) + " PONG") return;
    if (next == 100) return last.set_value();
    session.send("#" + std::to_string(++next) + " PING");
  });
  is_invalid("callback", [&] { (void)session.poll(); });
  session.send("#0 PING");
  last.get_future().get();
  CHECK(!held.gone());
  session.on_notification(nullptr);
  CHECK(held.gone());
  session.send("#a PING");
  skip_to(session, "#a PONG");
}

static void a_callback_in_place_of_another() {
  auto session = Session::open(offline());
  Held first, second;
  std::promise<void> heard;
  session.on_notification([thing = std::move(first.thing)](std::string_view) {});
  session.on_notification([&, thing = std::move(second.thing)](std::string_view line) {
    if (line == "#1 PONG") heard.set_value();
  });
  CHECK(first.gone());
  session.send("#1 PING");
  heard.get_future().get();
  session.close();
  CHECK(!second.gone());
  { const Session gone = std::move(session); }
  CHECK(second.gone());
}

// Has the callback do something to its session when the line "#1 PONG" comes, and waits until it is
// let go: not before it has returned.
template <typename Work>
static void inside(std::unique_ptr<Session> &session, Work work) {
  Held held;
  session->on_notification([work, seen = held.seen, thing = std::move(held.thing)](std::string_view line) {
    if (line != "#1 PONG") return;
    work();
    CHECK(!seen.expired() && *thing == 0);
  });
  session->send("#1 PING");
  held.let_go.get_future().get();
}

static void a_callback_takes_itself_off() {
  auto session = std::make_unique<Session>(Session::open(offline()));
  inside(session, [&] { session->on_notification(nullptr); });
  session->send("#2 PING");
  skip_to(*session, "#2 PONG");
}

static void a_callback_sets_another() {
  auto session = std::make_unique<Session>(Session::open(offline()));
  std::promise<void> heard;
  inside(session, [&] {
    session->on_notification([&](std::string_view line) {
      if (line == "#2 PONG") heard.set_value();
    });
  });
  session->send("#2 PING");
  heard.get_future().get();
}

static void a_callback_closes_its_session() {
  std::atomic<bool> returns{false};
  {
    std::promise<void> closed;
    auto session = Session::open(offline());
    session.on_notification([&](std::string_view) {
      session.close();
      is_closed([&] { session.on_notification(nullptr); });
      closed.set_value();
      for (int turn = 0; turn < 1000; turn++) std::this_thread::yield();
      returns = true;
      session.send("PING");  // a ClosedError only ends the call
    });
    closed.get_future().get();
    is_closed([&] { session.send("PING"); });
  }
  CHECK(returns);
}

static void a_callback_destroys_its_session() {
  auto session = std::make_unique<Session>(Session::open(offline()));
  inside(session, [&] { session.reset(); });
  CHECK(!session);
}

static void a_session_ends_while_its_callback_sends() {
  for (int round = 0; round < 20; round++) {
    std::promise<void> heard;
    bool told = false;
    auto session = Session::open(offline());
    session.on_notification([&](std::string_view line) {
      if (line != "PONG") return;
      if (!std::exchange(told, true)) heard.set_value();
      session.send("PING");
    });
    session.send("PING");
    heard.get_future().get();
  }
}

static void threads_set_callbacks_at_once() {
  auto session = Session::open(offline());
  const auto set = [&] {
    for (int round = 0; round < 300; round++) {
      session.on_notification([&, text = std::string(64, 'x')](std::string_view) {
        if (text[0] == 'x') session.on_notification(nullptr);
        CHECK(text == std::string(64, 'x'));
      });
      session.send("PING");
      session.send("PING");
    }
  };
  auto other = std::async(std::launch::async, set);
  set();
  other.get();
  session.on_notification(nullptr);
  session.send("#1 PING");
  skip_to(session, "#1 PONG");
}

// The program ends as one does of which a thread has thrown; the test looks at the exit status.
static void the_log() {
  Session session = Session::open(offline());
  std::vector<std::string> entries;
  auto kept = std::make_shared<int>(0);
  imo2skype::on_log(IMO2SKYPE_LOG_TRACE, [&entries, kept](imo2skype_log_level level, std::string_view entry) {
    CHECK(level == IMO2SKYPE_LOG_TRACE);
    entries.emplace_back(entry);
  });
  session.send("#1 PING");
  // Another in its place: the one before has had everything and is gone, with what it held.
  std::promise<void> done;
  imo2skype::on_log(IMO2SKYPE_LOG_TRACE, [&done, own = std::make_shared<int>(7)](imo2skype_log_level, std::string_view) {
    imo2skype::on_log(IMO2SKYPE_LOG_ERROR, nullptr);
    CHECK(*own == 7);
    done.set_value();
  });
  CHECK(kept.use_count() == 1 && entries.size() == 2);
  CHECK(entries[0] == "001> #1 PING" && entries[1] == "001< #1 PONG");
  session.send("#2 PING");
  done.get_future().get();
  session.send("#3 PING");
  is_invalid("level: ", [] {
    imo2skype::on_log(static_cast<imo2skype_log_level>(6), [](imo2skype_log_level, std::string_view) {});
  });
}

static void a_callback_throws() {
  std::set_terminate([] {
    try {
      throw;
    } catch (const std::runtime_error &error) {
      std::_Exit(std::string_view(error.what()) == "on purpose" ? 42 : 1);
    }
  });
  auto session = Session::open(offline());
  session.on_notification([](std::string_view) { throw std::runtime_error("on purpose"); });
  std::promise<void>().get_future().wait();
}

int main(int argc, char **argv) {
  if (argc == 2 && std::string_view(argv[1]) == "throw") a_callback_throws();
  versions_and_words();
  options();
  timeouts();
  lines();
  clients_of_one_login();
  a_closed_session();
  a_moved_session();
  the_network();
  a_full_queue();
  every_status_is_an_exception();
  lines_by_callback();
  a_callback_in_place_of_another();
  a_callback_takes_itself_off();
  a_callback_sets_another();
  a_callback_closes_its_session();
  a_callback_destroys_its_session();
  a_session_ends_while_its_callback_sends();
  threads_set_callbacks_at_once();
  the_log();
}
