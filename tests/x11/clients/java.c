/* Behaves as a Java library does (clients 8.1): no numbers, blanks behind global names, and the head of a reply ends with
   a blank. */
#include "skype.h"

static void ask(const char *command, const char *reply) {
  say(command);
  /* The first line with the head counts, or an error. */
  waiting_for = reply;
  for (;;) {
    const char *line = next_line();
    if (strncmp(line, "ERROR ", 6) == 0) fail("\"%s\" is answered by \"%s\"", command, line);
    if (strncmp(line, reply, strlen(reply)) == 0) return;
  }
}

int main(void) {
  attach(True);
  /* Compared for equality. */
  say("NAME Skype4Java");
  expect("OK");
  say("PROTOCOL 9999");
  /* Who has a name hears of others, too. */
  expect_of("PROTOCOL ", "PROTOCOL 8");
  ask("GET SKYPEVERSION ", "SKYPEVERSION 4.3.0.37");
  ask("GET CURRENTUSERHANDLE ", "CURRENTUSERHANDLE alice");
  ask("GET USERSTATUS ", "USERSTATUS ONLINE");
  ask("SEARCH FRIENDS", "USERS echo123");
  ask("GET USER echo123 DISPLAYNAME", "USER echo123 DISPLAYNAME ");
  ask("GET USER echo123 FULLNAME", "USER echo123 FULLNAME ");
  ask("SEARCH MISSEDCALLS", "CALLS ");
  puts("done");
  return 0;
}
