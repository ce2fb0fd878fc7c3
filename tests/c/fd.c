/* The descriptor: readable while lines wait, and only then. */
#include "check.h"

#include <poll.h>

static int readable(int fd, int timeout_ms) {
  struct pollfd entry = {0, POLLIN, 0};
  entry.fd = fd;
  return poll(&entry, 1, timeout_ms) == 1 && (entry.revents & POLLIN) != 0;
}

int main(void) {
  imo2skype_session *session = open_offline();
  int fd, round;
  drain(session);
  fd = imo2skype_notification_fd(session);
  CHECK(fd >= 0);
  CHECK(imo2skype_notification_fd(session) == fd);
  for (round = 0; round < 100; round++) {
    CHECK(!readable(fd, 0));
    CHECK_STATUS(imo2skype_send_skype_command(session, "#1 PING"), IMO2SKYPE_OK);
    CHECK_STATUS(imo2skype_send_skype_command(session, "#2 PING"), IMO2SKYPE_OK);
    CHECK(readable(fd, LONG_MS));
    expect_line(session, "#1 PONG");
    CHECK(readable(fd, LONG_MS));
    expect_line(session, "#2 PONG");
  }
  imo2skype_session_close(session);

  /* Asked for when lines wait already. */
  session = open_offline();
  CHECK_STATUS(imo2skype_send_skype_command(session, "#3 PING"), IMO2SKYPE_OK);
  CHECK(readable(imo2skype_notification_fd(session), LONG_MS));
  expect_line(session, "#3 PONG");
  imo2skype_session_close(session);
  no_thread_is_left();
  return 0;
}
