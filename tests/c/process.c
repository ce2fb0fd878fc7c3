/* A process that does more than this library: fork(), exec(), signals, peers that hang up. */
#include "check.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sched.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static imo2skype_session *open_online(const char *server, const char *name) {
  imo2skype_config *config = imo2skype_config_new(name, "secret");
  imo2skype_session *session = NULL;
  CHECK_STATUS(imo2skype_config_set(config, "server", server), IMO2SKYPE_OK);
  CHECK_STATUS(imo2skype_session_open(config, &session), IMO2SKYPE_OK);
  imo2skype_config_free(config);
  return session;
}

static void still_works(imo2skype_session *session) {
  char *reply = NULL;
  CHECK_STATUS(imo2skype_invoke(session, "PING", LONG_MS, &reply), IMO2SKYPE_OK);
  CHECK(strcmp(reply, "PONG") == 0);
  imo2skype_string_free(reply);
}

/* There and back through the network. */
static void echoes(imo2skype_session *session) {
  int back = 0;
  drain(session);
  CHECK_STATUS(imo2skype_send_skype_command(session, "MESSAGE echo123 hello"), IMO2SKYPE_OK);
  while (!back) {
    char *line = NULL;
    CHECK_STATUS(imo2skype_poll_skype_notification(session, LONG_MS, &line), IMO2SKYPE_OK);
    back = strstr(line, " STATUS RECEIVED") != NULL;
    imo2skype_string_free(line);
  }
}

/* ---- Descriptors ---- */

/* Whoever started this test may have left some open. */
static void keep_the_descriptors_of_others_to_this_process(void) {
  int fd;
  for (fd = 3; fd < 1024; fd++) {
    int flags = fcntl(fd, F_GETFD);
    if (flags >= 0) fcntl(fd, F_SETFD, flags | FD_CLOEXEC);
  }
}

/* Starts a program that succeeds if it has the three standard descriptors and no other, but for the
   one with which it looks. */
static pid_t start_one_that_counts(void) {
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    execl("/bin/sh", "sh", "-c", "set -- /proc/self/fd/*; [ $# -le 4 ] || { ls -l /proc/self/fd >&2; exit 1; }",
          (char *)NULL);
    _exit(127);
  }
  return child;
}

static void succeeds(pid_t child) {
  int status = -1;
  while (waitpid(child, &status, 0) != child) CHECK(errno == EINTR);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* Sessions, sockets, descriptors to wait for, a database: none of it reaches a child. */
static void a_child_inherits_no_descriptor(void) {
  imo2skype_gateway *gateway = NULL;
  imo2skype_session *session, *client = NULL;
  CHECK_STATUS(imo2skype_gateway_start("fork.db", NULL, &gateway), IMO2SKYPE_OK);
  session = open_online(imo2skype_gateway_url(gateway), "alice");
  CHECK_STATUS(imo2skype_session_attach(session, &client), IMO2SKYPE_OK);
  CHECK(imo2skype_notification_fd(session) >= 0 && imo2skype_notification_fd(client) >= 0);
  echoes(session);
  succeeds(start_one_that_counts());
  echoes(session);
  imo2skype_session_close(client);
  imo2skype_session_close(session);
  imo2skype_gateway_stop(gateway);
}

static atomic_int over;

static void *make_descriptors(void *session) {
  while (!over) {
    imo2skype_session *client = NULL;
    CHECK_STATUS(imo2skype_session_attach(session, &client), IMO2SKYPE_OK);
    CHECK(imo2skype_notification_fd(client) >= 0);
    imo2skype_session_close(client);
  }
  return NULL;
}

/* Not even one that is being made while the child starts. */
static void a_child_inherits_no_descriptor_that_is_new(void) {
  imo2skype_session *session = open_offline();
  pthread_t maker;
  int round;
  over = 0;
  CHECK(pthread_create(&maker, NULL, make_descriptors, session) == 0);
  for (round = 0; round < share_of(60); round++) succeeds(start_one_that_counts());
  over = 1;
  CHECK(pthread_join(maker, NULL) == 0);
  imo2skype_session_close(session);
}

static void *keep_busy(void *session) {
  while (!over) still_works(session);
  return NULL;
}

/* A child that leaves at once, or becomes another program, disturbs nothing that the parent does. */
static void children_disturb_nobody(void) {
  imo2skype_session *session = open_offline(), *online;
  imo2skype_gateway *gateway = NULL;
  pthread_t busy[2];
  int index, round;
  CHECK_STATUS(imo2skype_gateway_start(NULL, NULL, &gateway), IMO2SKYPE_OK);
  online = open_online(imo2skype_gateway_url(gateway), "bob");
  over = 0;
  for (index = 0; index < 2; index++) {
    CHECK(pthread_create(&busy[index], NULL, keep_busy, index % 2 == 0 ? session : online) == 0);
  }
  for (round = 0; round < share_of(10); round++) {
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) _exit(0);
    succeeds(child);
    succeeds(start_one_that_counts());
  }
  over = 1;
  for (index = 0; index < 2; index++) CHECK(pthread_join(busy[index], NULL) == 0);
  echoes(online);
  imo2skype_session_close(online);
  imo2skype_session_close(session);
  imo2skype_gateway_stop(gateway);
}

/* ---- Signals ---- */

static atomic_int alarms, on_ours;

static void on_alarm(int signal) {
  (void)signal;
  alarms++;
#ifdef __linux__
  {
    char name[16] = "";
    prctl(PR_GET_NAME, name);
    on_ours += strncmp(name, "imo2skype", 9) == 0;
  }
#endif
}

static long long now_ms(void) {
  struct timespec now;
  CHECK(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
  return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static void *send_after_some_alarms(void *session) {
  int seen = alarms;
  while (alarms < seen + 20) sched_yield();
  CHECK_STATUS(imo2skype_send_skype_command(session, "#late PING"), IMO2SKYPE_OK);
  return NULL;
}

/* A timer of the program that interrupts whatever it can. */
static void interrupted_waits_go_on(void) {
  struct sigaction action, before;
  struct itimerval often = {{0, 1000}, {0, 1000}}, never = {{0, 0}, {0, 0}};
  imo2skype_gateway *gateway = NULL;
  imo2skype_session *session;
  pthread_t sender;
  char *line = NULL;
  long long start;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_alarm; /* without SA_RESTART */
  CHECK(sigaction(SIGALRM, &action, &before) == 0);
  CHECK(setitimer(ITIMER_REAL, &often, NULL) == 0);
  CHECK_STATUS(imo2skype_gateway_start("alarm.db", NULL, &gateway), IMO2SKYPE_OK);
  session = open_online(imo2skype_gateway_url(gateway), "carol");
  echoes(session);
  drain(session);
  start = now_ms();
  CHECK_STATUS(imo2skype_poll_skype_notification(session, 100, &line), IMO2SKYPE_TIMEOUT);
  CHECK(now_ms() - start >= 100);
  CHECK(pthread_create(&sender, NULL, send_after_some_alarms, session) == 0);
  expect_line(session, "#late PONG");
  CHECK(pthread_join(sender, NULL) == 0);
  imo2skype_session_close(session);
  imo2skype_gateway_stop(gateway);
  CHECK(setitimer(ITIMER_REAL, &never, NULL) == 0);
  CHECK(sigaction(SIGALRM, &before, NULL) == 0);
  CHECK(alarms > 0 && on_ours == 0);
}

/* The threads of the library that do not run the caller's functions take no signal, SIGPIPE among them. */
static void every_thread_of_the_library_blocks(int signal) {
#ifdef __linux__
  DIR *tasks = opendir("/proc/self/task");
  struct dirent *task;
  int ours = 0;
  CHECK(tasks != NULL);
  while ((task = readdir(tasks)) != NULL) {
    char path[300], line[128], name[16] = "";
    unsigned long long mask = 0;
    FILE *status;
    snprintf(path, sizeof path, "/proc/self/task/%s/status", task->d_name);
    if ((status = fopen(path, "r")) == NULL) continue; /* it has ended, or is no task */
    while (fgets(line, sizeof line, status) != NULL) {
      sscanf(line, "Name: %15s", name);
      sscanf(line, "SigBlk: %llx", &mask);
    }
    fclose(status);
    if (strncmp(name, "imo2skype", 9) != 0) continue;
    ours++;
    CHECK((mask >> (signal - 1) & 1) == 1);
  }
  closedir(tasks);
  CHECK(ours >= 5); /* two for the account, the timer, the gateway, its database */
#else
  (void)signal;
#endif
}

/* Whoever blocks a signal and waits for it gets it: no thread of the library takes it first, which
   would end the process. */
static void signals_are_left_to_the_program(void) {
  imo2skype_gateway *gateway = NULL;
  imo2skype_session *session;
  sigset_t waited, before;
  int round, signal = 0;
  CHECK_STATUS(imo2skype_gateway_start("wait.db", NULL, &gateway), IMO2SKYPE_OK);
  session = open_online(imo2skype_gateway_url(gateway), "dave");
  echoes(session);
  every_thread_of_the_library_blocks(SIGPIPE);
  every_thread_of_the_library_blocks(SIGALRM);
  sigemptyset(&waited);
  sigaddset(&waited, SIGUSR1);
  sigaddset(&waited, SIGTERM);
  CHECK(pthread_sigmask(SIG_BLOCK, &waited, &before) == 0);
  for (round = 0; round < 10; round++) {
    CHECK(kill(getpid(), round % 2 == 0 ? SIGUSR1 : SIGTERM) == 0);
    CHECK(sigwait(&waited, &signal) == 0);
    CHECK(signal == (round % 2 == 0 ? SIGUSR1 : SIGTERM));
  }
  CHECK(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
  imo2skype_session_close(session);
  imo2skype_gateway_stop(gateway);
}

/* What a function starts has no part in the mask of who called it. */
static void masks_stay_as_they_are(void) {
  sigset_t before, after;
  int signal;
  imo2skype_session *session;
  imo2skype_gateway *gateway = NULL;
  CHECK(pthread_sigmask(SIG_BLOCK, NULL, &before) == 0);
  CHECK_STATUS(imo2skype_gateway_start(NULL, NULL, &gateway), IMO2SKYPE_OK);
  session = open_online(imo2skype_gateway_url(gateway), "erin");
  imo2skype_session_close(session);
  imo2skype_gateway_stop(gateway);
  CHECK(pthread_sigmask(SIG_BLOCK, NULL, &after) == 0);
  for (signal = 1; signal < 32; signal++) CHECK(sigismember(&before, signal) == sigismember(&after, signal));
}

/* ---- Peers that hang up; SIGPIPE is as a program finds it: it would end this one ---- */

/* Asks a gateway for more than it reads, and leaves. */
static void a_client_of_the_gateway_that_hangs_up(void) {
  static const char ask[] = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
  imo2skype_gateway *gateway = NULL;
  imo2skype_session *session;
  struct sockaddr_in address;
  int round, times;
  CHECK_STATUS(imo2skype_gateway_start(NULL, NULL, &gateway), IMO2SKYPE_OK);
  memset(&address, 0, sizeof address);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons((uint16_t)atoi(imo2skype_gateway_url(gateway) + strlen("http://127.0.0.1:")));
  for (round = 0; round < share_of(50); round++) {
    int peer = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(peer >= 0 && connect(peer, (struct sockaddr *)&address, sizeof address) == 0);
    for (times = 0; times < 100; times++) {
      CHECK(send(peer, ask, sizeof ask - 1, MSG_NOSIGNAL) > 0);
    }
    close(peer);
  }
  session = open_online(imo2skype_gateway_url(gateway), "frank");
  echoes(session);
  imo2skype_session_close(session);
  imo2skype_gateway_stop(gateway);
}

/* Takes a few bytes of each request and hangs up, in a different way every time. */
static void *hang_up(void *listener) {
  int times = 0, peer;
  while ((peer = accept(*(int *)listener, NULL, NULL)) >= 0) {
    char bytes[4096];
    struct linger hard = {1, 0};
    if (times % 3 != 2) CHECK(recv(peer, bytes, sizeof bytes, 0) >= 0);
    if (times % 3 == 0) {
      /* With nothing unread its end is a polite one, and only what comes later is refused. */
      shutdown(peer, SHUT_WR);
      while (recv(peer, bytes, sizeof bytes, MSG_DONTWAIT) > 0) continue;
    }
    if (times % 3 == 1) setsockopt(peer, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close(peer);
    times++;
  }
  return NULL;
}

static void a_server_that_hangs_up(void) {
  struct sockaddr_in address;
  socklen_t length = sizeof address;
  pthread_t server;
  char url[64], *huge = malloc((1 << 20) + 1);
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), round;
  CHECK(huge != NULL && listener >= 0);
  memset(huge, 'a', 1 << 20);
  huge[1 << 20] = '\0';
  memset(&address, 0, sizeof address);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  CHECK(bind(listener, (struct sockaddr *)&address, length) == 0 && listen(listener, 16) == 0);
  CHECK(getsockname(listener, (struct sockaddr *)&address, &length) == 0);
  snprintf(url, sizeof url, "http://127.0.0.1:%d/", ntohs(address.sin_port));
  CHECK(pthread_create(&server, NULL, hang_up, &listener) == 0);
  for (round = 0; round < 3; round++) {
    imo2skype_config *config = imo2skype_config_new(huge, "secret");
    imo2skype_session *session = NULL;
    CHECK_STATUS(imo2skype_config_set(config, "server", url), IMO2SKYPE_OK);
    CHECK_STATUS(imo2skype_session_open(config, &session), IMO2SKYPE_NETWORK);
    CHECK(session == NULL);
    imo2skype_config_free(config);
  }
  shutdown(listener, SHUT_RDWR);
  CHECK(pthread_join(server, NULL) == 0);
  close(listener);
  free(huge);
}

int main(void) {
  keep_the_descriptors_of_others_to_this_process();
  signal(SIGPIPE, SIG_DFL);
  masks_stay_as_they_are();
  a_child_inherits_no_descriptor();
  a_child_inherits_no_descriptor_that_is_new();
  children_disturb_nobody();
  interrupted_waits_go_on();
  signals_are_left_to_the_program();
  a_client_of_the_gateway_that_hangs_up();
  a_server_that_hangs_up();
  no_thread_is_left();
  return 0;
}
