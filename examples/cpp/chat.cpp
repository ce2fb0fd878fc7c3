// Says hello to the contact echo123 and prints what comes, until the echo has.
//
//   c++ -std=c++17 chat.cpp -limo2skype -o chat
//   ./chat [SERVER-URL]        without one, a gateway inside this program is the network
#include <imo2skype.hpp>

#include <iostream>
#include <sstream>

// Prints lines until the echo's body has arrived. Returns whether it has.
static bool chat(imo2skype::Session &session) {
  session.send("MESSAGE echo123 hello");
  while (const auto line = session.poll(std::chrono::seconds(30))) {
    std::string object, id, property, value;
    std::istringstream(*line) >> object >> id >> property >> value;
    std::cout << *line << std::endl;
    if (object != "CHATMESSAGE") continue;
    if (property == "STATUS" && value == "RECEIVED") session.send("GET CHATMESSAGE " + id + " BODY");
    if (property == "BODY" && value == "hello") return true;
  }
  std::cerr << "chat: no echo came\n";
  return false;
}

int main(int argc, char **argv) try {
  imo2skype::Config config("alice", "secret");
  if (argc > 1) config.set("server", argv[1]);
  auto session = imo2skype::Session::open(config);
  return chat(session) ? 0 : 1;
} catch (const imo2skype::Error &error) {
  std::cerr << "chat: " << error.what() << '\n';
  return 1;
}
