// The same header in C++.
#include <imo2skype.h>

#include <type_traits>

static_assert(IMO2SKYPE_OK == 0 && IMO2SKYPE_TIMEOUT == 1 && IMO2SKYPE_CLOSED == 2, "");
static_assert(IMO2SKYPE_INVALID_ARGUMENT == 3 && IMO2SKYPE_INVALID_UTF8 == 4, "");
static_assert(IMO2SKYPE_LOGIN_REFUSED == 5 && IMO2SKYPE_NETWORK == 6 && IMO2SKYPE_STORE == 7, "");
static_assert(IMO2SKYPE_INTERNAL == 8 && IMO2SKYPE_QUEUE_FULL == 9, "");
static_assert(std::is_same<decltype(imo2skype_poll_skype_notification),
                           imo2skype_status(imo2skype_session *, int, char **)>::value, "");
static_assert(std::is_same<imo2skype_notification_fn, void (*)(const char *, void *)>::value, "");

int main() {
  imo2skype_config *config = imo2skype_config_new("alice", "secret");
  imo2skype_status status = imo2skype_config_set(config, "network", "imo");
  imo2skype_config_free(config);
  return status == IMO2SKYPE_OK && *imo2skype_status_text(status) != '\0' ? 0 : 1;
}
