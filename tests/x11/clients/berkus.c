/* Behaves as berkus' sample does (clients 9): every command has the next number, protocol 5. It speaks before it has
   said its name. */
#include "skype.h"

int main(void) {
  attach(False);
  say("PING");
  expect("PONG");
  say("#1 PROTOCOL 5");
  expect("#1 ERROR 68");
  say("GET USERSTATUS");
  expect("ERROR 68");
  say("#2 NAME x11-sample");
  expect("#2 OK");
  say("#3 PROTOCOL 5");
  /* Who has a name hears of others, too. */
  expect_of("#3 ", "#3 PROTOCOL 5");
  expect_of("CONNSTATUS ", "CONNSTATUS ONLINE");
  expect_of("CURRENTUSERHANDLE ", "CURRENTUSERHANDLE alice");
  expect_of("USERSTATUS ", "USERSTATUS ONLINE");
  say("#4 GET USERSTATUS");
  expect_of("#4 ", "#4 USERSTATUS ONLINE");
  puts("done");
  return 0;
}
