/*
 * What a call costs, for cost.sh, which counts the instructions of so many rounds.
 *
 *   roundtrip local N     a command that is answered at once is sent and its reply taken
 *   roundtrip nothing N   the call that does nothing
 *   roundtrip empty N     a call of an empty function of this program
 */
#include <imo2skype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__attribute__((noinline)) static uint32_t empty(void) {
  __asm__ volatile(""); /* keeps the call */
  return 1;
}

static int local(long rounds) {
  imo2skype_config *config = imo2skype_config_new("alice", "secret");
  imo2skype_session *session = NULL;
  char *line = NULL;
  imo2skype_config_set(config, "autologin", "false");
  imo2skype_config_set(config, "server", "http://127.0.0.1:9/");
  if (imo2skype_session_open(config, &session) != IMO2SKYPE_OK) return 1;
  while (imo2skype_poll_skype_notification(session, 0, &line) == IMO2SKYPE_OK) {
    imo2skype_string_free(line);
  }
  while (rounds-- > 0) {
    if (imo2skype_send_skype_command(session, "GET USERSTATUS") != IMO2SKYPE_OK ||
        imo2skype_poll_skype_notification(session, 0, &line) != IMO2SKYPE_OK) {
      return 1;
    }
    imo2skype_string_free(line);
  }
  imo2skype_session_close(session);
  imo2skype_config_free(config);
  return 0;
}

int main(int argc, char **argv) {
  long rounds = argc == 3 ? strtol(argv[2], NULL, 10) : 0;
  uint32_t sum = 0;
  int failed = 0;
  if (rounds < 1) return 2;
  if (strcmp(argv[1], "local") == 0) {
    failed = local(rounds);
  } else if (strcmp(argv[1], "nothing") == 0) {
    while (rounds-- > 0) sum += imo2skype_abi_version();
  } else {
    while (rounds-- > 0) sum += empty();
  }
  if (failed) fprintf(stderr, "roundtrip: %s\n", imo2skype_last_error());
  return failed || (sum == 0 && strcmp(argv[1], "local") != 0);
}
