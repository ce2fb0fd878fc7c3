/// \file
/// imo2skype for C++17 and later: the C interface as objects. Header only; link with -limo2skype.
///
///     auto session = imo2skype::Session::open(imo2skype::Config("alice", "secret"));
///     session.send("MESSAGE echo123 hello");
///     while (auto line = session.poll(std::chrono::seconds(5))) std::cout << *line << '\n';
///
/// Text is UTF-8. What goes wrong is thrown as an Error; that time is up is no error but an empty
/// std::optional. What is not told here is told in imo2skype.h.
///
/// Any thread may call any function, also while others use the same object. Only to move an object,
/// to assign to it or to destroy it, a thread must have it for itself. One that was moved from can
/// be assigned to and destroyed; the rest throws InvalidArgumentError.
#ifndef IMO2SKYPE_HPP
#define IMO2SKYPE_HPP

#include <imo2skype.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <climits>
#include <cstdint>
#include <exception>
#include <functional>
#include <iterator>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace imo2skype {

// ---- Errors ----------------------------------------------------------------

/// What went wrong: what() in words for people, status() as the number of the C interface.
class Error : public std::runtime_error {
 public:
  Error(imo2skype_status status, const std::string &text) : std::runtime_error(text), status_(status) {}

  imo2skype_status status() const noexcept { return status_; }

 private:
  imo2skype_status status_;
};

/// The session was closed, or this client was detached because it left too much unread.
struct ClosedError : Error {
  using Error::Error;
};

/// An argument that can never be accepted; also a text that is not UTF-8 or has a NUL in it.
struct InvalidArgumentError : Error {
  using Error::Error;
};

/// The server does not take this user name with this password.
struct LoginRefusedError : Error {
  using Error::Error;
};

/// The server cannot be reached. Trying again later may help.
struct NetworkError : Error {
  using Error::Error;
};

/// A database cannot be opened, read or written.
struct StoreError : Error {
  using Error::Error;
};

/// Too many lines wait unread; take some, then send again.
struct QueueFullError : Error {
  using Error::Error;
};

/// How long to wait: std::nullopt, or what no int of milliseconds can hold (24 days), is for ever;
/// zero, or a time that is over, is not at all.
using Timeout = std::optional<std::chrono::milliseconds>;

namespace detail {

[[noreturn]] inline void fail(imo2skype_status status) {
  const std::string text = imo2skype_last_error();
  switch (status) {
    case IMO2SKYPE_CLOSED: throw ClosedError(status, text);
    case IMO2SKYPE_INVALID_ARGUMENT:
    case IMO2SKYPE_INVALID_UTF8: throw InvalidArgumentError(status, text);
    case IMO2SKYPE_LOGIN_REFUSED: throw LoginRefusedError(status, text);
    case IMO2SKYPE_NETWORK: throw NetworkError(status, text);
    case IMO2SKYPE_STORE: throw StoreError(status, text);
    case IMO2SKYPE_QUEUE_FULL: throw QueueFullError(status, text);
    default: throw Error(status, text);  // IMO2SKYPE_INTERNAL, and what later versions add
  }
}

inline void check(imo2skype_status status) {
  if (status != IMO2SKYPE_OK) fail(status);
}

/// The text for C, which would take the part before a NUL for the whole.
inline const char *c_text(const char *name, const std::string &text) {
  if (text.find('\0') != std::string::npos) {
    throw InvalidArgumentError(IMO2SKYPE_INVALID_ARGUMENT, std::string(name) + ": has a NUL in it");
  }
  return text.c_str();
}

inline const char *c_text(const char *name, const std::optional<std::string> &text) {
  return text ? c_text(name, *text) : nullptr;
}

struct Release {
  void operator()(char *text) const noexcept { imo2skype_string_free(text); }
  void operator()(imo2skype_config *config) const noexcept { imo2skype_config_free(config); }
};

template <typename T>
using Owned = std::unique_ptr<T, Release>;

/// The text that a function has stored, or nothing when time was up.
inline std::optional<std::string> text(imo2skype_status status, char *stored) {
  const Owned<char> owned(stored);
  if (status == IMO2SKYPE_TIMEOUT) return std::nullopt;
  check(status);
  return stored;
}

inline int milliseconds(Timeout timeout) noexcept {
  if (!timeout || timeout->count() > INT_MAX) return -1;
  return timeout->count() < 0 ? 0 : static_cast<int>(timeout->count());
}

/// What the library may call, each kept until it is certain that it will not.
template <typename T>
class Standing {
 public:
  /// Has `set` put `mine` in place of what stands. `mine` stays then, unless the library does not know it.
  template <typename Set>
  void replace(std::shared_ptr<T> mine, bool stays, Set set) {
    std::list<std::shared_ptr<T>> next, before;
    next.push_back(std::move(mine));
    {
      const std::lock_guard<std::mutex> guard(mutex_);
      before = standing_;
    }
    set();
    // Those that stood when this call began are out of use now; not so the one of a call that went
    // on at the same time. They are destroyed last, without the lock: a session may go with them.
    const std::lock_guard<std::mutex> guard(mutex_);
    standing_.remove_if(
        [&before](const auto &old) { return std::find(before.begin(), before.end(), old) != before.end(); });
    if (stays) standing_.splice(standing_.end(), next);
  }

 private:
  std::mutex mutex_;
  std::list<std::shared_ptr<T>> standing_;
};

}  // namespace detail

// ---- Version, words --------------------------------------------------------

/// The version of the library that runs; IMO2SKYPE_VERSION is the one that was compiled with.
inline std::string_view version() noexcept { return imo2skype_version(); }

/// The number of the binary interface.
inline std::uint32_t abi_version() noexcept { return imo2skype_abi_version(); }

/// What a status means, in a few words of English.
inline std::string_view status_text(imo2skype_status status) noexcept { return imo2skype_status_text(status); }

// ---- Options ---------------------------------------------------------------

/// The keys that Config::set() knows.
inline std::vector<std::string> keys() {
  std::istringstream words(imo2skype_config_describe(nullptr));
  return {std::istream_iterator<std::string>(words), {}};
}

/// One line of help for a key of Config::set(). Throws InvalidArgumentError for an unknown one.
inline std::string_view describe(const std::string &key) {
  const char *line = imo2skype_config_describe(detail::c_text("key", key));
  if (line == nullptr) detail::fail(IMO2SKYPE_INVALID_ARGUMENT);
  return line;
}

/// The options of a session.
class Config {
 public:
  /// Options for this account, everything else at its default.
  Config(const std::string &username, const std::string &password)
      : handle_(imo2skype_config_new(detail::c_text("username", username), detail::c_text("password", password))) {
    if (!handle_) detail::fail(IMO2SKYPE_INVALID_ARGUMENT);
  }

  /// Sets one option by name; booleans are "true" and "false". Returns this object, so that calls
  /// can be chained.
  Config &set(const std::string &key, const std::string &value) & {
    detail::check(imo2skype_config_set(handle_.get(), detail::c_text("key", key), detail::c_text("value", value)));
    return *this;
  }

  Config &&set(const std::string &key, const std::string &value) && { return std::move(set(key, value)); }

 private:
  friend class Session;
  detail::Owned<imo2skype_config> handle_;
};

// ---- Sessions --------------------------------------------------------------

/// One client of a login: commands go in, replies and notifications come out.
class Session {
 public:
  /// Is called with each line; the text is valid during the call only.
  using Callback = std::function<void(std::string_view line)>;

  /// Opens a session and logs in. Throws LoginRefusedError, NetworkError.
  [[nodiscard]] static Session open(const Config &config) {
    auto state = std::make_unique<State>();
    detail::check(imo2skype_session_open(config.handle_.get(), &state->handle));
    return Session(std::move(state));
  }

  Session(Session &&) noexcept = default;

  /// Closes the session that this object was before.
  Session &operator=(Session &&) noexcept = default;

  /// Closes the session.
  ~Session() { close(); }

  /// Hands one line of the Skype API to the session. Never waits for the network. Throws
  /// QueueFullError, ClosedError.
  void send(const std::string &command) {
    detail::check(imo2skype_send_skype_command(handle(), detail::c_text("command", command)));
  }

  /// The next reply or notification; nothing if none came in time. Throws ClosedError,
  /// InvalidArgumentError while a callback is set.
  [[nodiscard]] std::optional<std::string> poll(Timeout timeout = std::nullopt) {
    char *line = nullptr;
    const auto status = imo2skype_poll_skype_notification(handle(), detail::milliseconds(timeout), &line);
    return detail::text(status, line);
  }

  /// Sends a command and waits for the reply to it, whatever it says ("ERROR n text" too); nothing
  /// if none came in time. Throws as send() does.
  std::optional<std::string> invoke(const std::string &command, Timeout timeout = std::chrono::seconds(10)) {
    const char *line = detail::c_text("command", command);
    char *reply = nullptr;
    const auto status = imo2skype_invoke(handle(), line, detail::milliseconds(timeout), &reply);
    return detail::text(status, reply);
  }

  /// One more client of the same login, with its own protocol version, ids and queue.
  [[nodiscard]] Session attach() {
    auto state = std::make_unique<State>();
    detail::check(imo2skype_session_attach(handle(), &state->handle));
    return Session(std::move(state));
  }

  /// A descriptor that is readable while lines wait: then call poll() with a timeout of zero until it
  /// returns nothing. The session closes it; do not read it. Not on Windows.
  int fd() {
    const int fd = imo2skype_notification_fd(handle());
    if (fd >= 0) return fd;
    if (!state_) detail::fail(IMO2SKYPE_INVALID_ARGUMENT);
    detail::fail(state_->closed ? IMO2SKYPE_CLOSED : IMO2SKYPE_INTERNAL);
  }

  /// Has `callback` called with each line instead of polling, on a thread of the library, one line
  /// at a time; an empty one (nullptr) gives polling back. Throws ClosedError.
  ///
  /// When this returns, the callback before has ended for good, unless it is the caller. It may call
  /// every function, also this one, close() and the destructor of its session. A session that it
  /// holds by reference must stay where it is.
  ///
  /// A ClosedError that leaves the callback ends that call only, since the session may be closed at
  /// any time. Every other exception ends the program by std::terminate(), as it does for a thread.
  void on_notification(Callback callback) {
    if (!state_) detail::check(imo2skype_set_notification_callback(nullptr, nullptr, nullptr));
    auto mine = std::make_shared<Listener>(std::move(callback), state_->running);
    Listener *const listener = mine.get();
    const auto call = listener->callback ? Listener::call : nullptr;
    state_->listeners.replace(std::move(mine), call != nullptr, [&] {
      detail::check(imo2skype_set_notification_callback(handle(), call, listener));
    });
  }

  /// Closes this client: whoever waits on it gets a ClosedError, and so does every later call.
  /// Returns when they and a running callback have ended, unless the callback is the caller.
  void close() noexcept {
    if (state_) state_->close();
  }

 private:
  /// Held while a callback runs, by the thread that it runs on.
  using Running = std::shared_ptr<std::recursive_mutex>;

  struct Listener : std::enable_shared_from_this<Listener> {
    Listener(Callback function, Running mutex) : callback(std::move(function)), running(std::move(mutex)) {}

    static void call(const char *line, void *data) noexcept {
      // Not destroyed while it runs, whatever it does to its session.
      const auto self = static_cast<Listener *>(data)->shared_from_this();
      const std::lock_guard<std::recursive_mutex> guard(*self->running);
      try {
        self->callback(line);
      } catch (const ClosedError &) {
      } catch (...) {
        std::terminate();  // with the exception at hand, to be printed
      }
    }

    Callback callback;
    Running running;
  };

  /// What stays where it is when a session is moved.
  struct State {
    ~State() { close(); }

    void close() noexcept {
      if (!closed.exchange(true)) imo2skype_session_close(handle);
      // The callback may have been the first, which nobody has waited for.
      const std::lock_guard<std::recursive_mutex> guard(*running);
    }

    /// Never reset, so no lock guards it: the library knows that it was closed.
    imo2skype_session *handle = nullptr;
    std::atomic<bool> closed{false};
    Running running = std::make_shared<std::recursive_mutex>();
    detail::Standing<Listener> listeners;
  };

  explicit Session(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}

  imo2skype_session *handle() const noexcept { return state_ ? state_->handle : nullptr; }

  std::unique_ptr<State> state_;
};

// ---- Gateway ---------------------------------------------------------------

/// A chat network inside this process (not in a library without the feature "gateway").
class Gateway {
 public:
  /// Starts one: `database` is the path of its file, in memory without; `listen` is the address and
  /// port, "127.0.0.1:0" without. Throws StoreError, NetworkError.
  [[nodiscard]] static Gateway start(const std::optional<std::string> &database = std::nullopt,
                                     const std::optional<std::string> &listen = std::nullopt) {
    const char *file = detail::c_text("database", database), *address = detail::c_text("listen", listen);
    auto state = std::make_unique<State>();
    detail::check(imo2skype_gateway_start(file, address, &state->handle));
    state->url = imo2skype_gateway_url(state->handle);
    return Gateway(std::move(state));
  }

  /// Where it is reached, or was until it stopped: a value for the option "server".
  std::string url() const {
    if (state_) return state_->url;
    imo2skype_gateway_url(nullptr);
    detail::fail(IMO2SKYPE_INVALID_ARGUMENT);
  }

  /// Stops it and returns when it has ended; close its sessions first.
  void stop() noexcept {
    if (state_) state_->stop();
  }

 private:
  struct State {
    ~State() { stop(); }

    void stop() noexcept {
      if (!stopped.exchange(true)) imo2skype_gateway_stop(handle);
    }

    imo2skype_gateway *handle = nullptr;
    /// Kept, since the library's own goes when another thread stops the gateway.
    std::string url;
    std::atomic<bool> stopped{false};
  };

  explicit Gateway(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}

  std::unique_ptr<State> state_;
};

// ---- Log -------------------------------------------------------------------

/// Is called with each entry of the library's log; the text is valid during the call only.
using LogCallback = std::function<void(imo2skype_log_level level, std::string_view entry)>;

namespace detail {

struct LogListener : std::enable_shared_from_this<LogListener> {
  explicit LogListener(LogCallback function) : callback(std::move(function)) {}

  static void call(int level, const char *entry, void *data) noexcept {
    // Not destroyed while it runs, should it take itself off.
    const auto self = static_cast<LogListener *>(data)->shared_from_this();
    self->callback(static_cast<imo2skype_log_level>(level), entry);
  }

  LogCallback callback;
};

/// Never destroyed: the library may have something to tell until the program has ended.
inline Standing<LogListener> &log_listeners() {
  static auto *const listeners = new Standing<LogListener>;
  return *listeners;
}

}  // namespace detail

/// Has `callback` called with what the library has to tell, up to this level, on a thread of the
/// library, one entry at a time; an empty one (nullptr) ends that. One for the whole process.
///
/// When this returns, the callback before has had all that was told and has ended for good, unless it
/// is the caller. An exception that leaves the callback ends the program by std::terminate().
inline void on_log(imo2skype_log_level most, LogCallback callback) {
  auto mine = std::make_shared<detail::LogListener>(std::move(callback));
  detail::LogListener *const listener = mine.get();
  const auto call = listener->callback ? detail::LogListener::call : nullptr;
  detail::log_listeners().replace(std::move(mine), call != nullptr, [&] {
    detail::check(imo2skype_set_log_callback(static_cast<int>(most), call, listener));
  });
}

}  // namespace imo2skype

#endif  // IMO2SKYPE_HPP
