// A bot on a notification callback: answers the message "ping" with "pong", until SIGINT or SIGTERM.
//
//   c++ -std=c++17 -pthread bot.cpp -limo2skype -o bot
//   IMO2SKYPE_PASSWORD=... ./bot [SERVER-URL]
//
// Without a server, the network is a gateway inside this program, and the contact echo123 there
// gets a first ping: it sends back what it gets, and so is answered.
#include <imo2skype.hpp>

#include <signal.h>

#include <cstdlib>
#include <iostream>

// A property of a message; empty if it has none.
static std::string get(imo2skype::Session &session, const std::string &id, const std::string &property) {
  const auto head = "CHATMESSAGE " + id + " " + property + " ";
  // The session knows its messages, so the reply comes at once: no callback should wait.
  const auto reply = session.invoke("GET CHATMESSAGE " + id + " " + property, std::chrono::seconds(0));
  return reply && reply->find(head) == 0 ? reply->substr(head.size()) : "";
}

static void answer(imo2skype::Session &session, const std::string &line) {
  const std::string head = "CHATMESSAGE ", tail = " STATUS RECEIVED";
  const auto end = line.find(tail);
  std::cout << line << std::endl;
  if (line.find(head) != 0 || end == std::string::npos || end + tail.size() != line.size()) return;
  const auto id = line.substr(head.size(), end - head.size());
  if (get(session, id, "BODY") != "ping") return;
  session.send("CHATMESSAGE " + get(session, id, "CHATNAME") + " pong");
}

int main(int argc, char **argv) try {
  // Before there are other threads: they take over the mask, and the signals wait for sigwait().
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  const char *password = std::getenv("IMO2SKYPE_PASSWORD");
  imo2skype::Config config("alice", password == nullptr ? "secret" : password);
  if (argc > 1) config.set("server", argv[1]);
  auto session = imo2skype::Session::open(config);
  session.on_notification([&session](std::string_view line) { answer(session, std::string(line)); });
  if (argc == 1) session.send("MESSAGE echo123 ping");
  int signal = 0;
  sigwait(&signals, &signal);
  return 0;  // the session closes, and what the callback sends meanwhile is refused without harm
} catch (const imo2skype::Error &error) {
  std::cerr << "bot: " << error.what() << '\n';
  return 1;
}
