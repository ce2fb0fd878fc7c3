/* A command-line tool (clients 9): lines of the input are commands, lines of Skype are lines of the output; its buffers
   are small. Words with an exclamation mark are for tests:
   !id             says the window of this client, and the one of Skype
   !sync           waits until the display has everything
   !window         goes on with a window of its own, and says nothing to the other any more
   !as W           wants its answers at window W
   !destroy        destroys its window
   !watch W        waits until window W is destroyed
   !begin, !more T sends a piece as it is; _ stands for a NUL, ^ for a byte that no text has
   !stale          leaves a property that names a window which there is no more
   !await          waits until there is a Skype (the only word that needs none) */
#define ROOM 2048
#include "skype.h"

#include <sys/select.h>

#define INPUT 1024

static Window watched;

static void show(XEvent *event) {
  if (event->type == DestroyNotify && event->xdestroywindow.window == watched) puts("!gone");
  if (take(event)) puts(skype.line);
}

static void send_raw(Atom kind, const char *text) {
  char piece[PIECE] = {0};
  int at;
  for (at = 0; at < PIECE && text[at] != '\0'; at++)
    piece[at] = text[at] == '_' ? '\0' : text[at] == '^' ? '\377' : text[at];
  send_piece(kind, piece);
}

static void await(void) {
  XEvent event;
  XSelectInput(skype.display, skype.root, PropertyChangeMask);
  while (!find_skype()) {
    waiting_for = "a Skype";
    do XNextEvent(skype.display, &event);
    while (event.type != PropertyNotify || event.xproperty.atom != skype.instance);
  }
  XSelectInput(skype.display, skype.root, NoEventMask);
}

static void leave_stale(void) {
  Window gone = XCreateSimpleWindow(skype.display, skype.root, 0, 0, 1, 1, 0, 0, 0);
  XDestroyWindow(skype.display, gone);
  XChangeProperty(skype.display, skype.root, skype.instance, XA_WINDOW, 32, PropModeReplace, (unsigned char *)&gone, 1);
  XSync(skype.display, False);
  puts("!stale");
}

static void obey(char *line) {
  if (line[0] != '!') {
    if (skype.window == None && !find_skype()) fail("no _SKYPE_INSTANCE");
    say(line);
  } else if (strcmp(line, "!id") == 0) {
    printf("!id %#lx %#lx\n", skype.own, skype.window);
  } else if (strcmp(line, "!sync") == 0) {
    XSync(skype.display, False);
    puts("!synced");
  } else if (strcmp(line, "!window") == 0) {
    skype.own = XCreateSimpleWindow(skype.display, skype.root, 0, 0, 1, 1, 0, 0, 0);
  } else if (strncmp(line, "!as ", 4) == 0) {
    skype.own = strtoul(line + 4, NULL, 16);
  } else if (strcmp(line, "!destroy") == 0) {
    XDestroyWindow(skype.display, skype.own);
    XSync(skype.display, False);
    puts("!destroyed");
  } else if (strncmp(line, "!watch ", 7) == 0) {
    watched = strtoul(line + 7, NULL, 16);
    XSelectInput(skype.display, watched, StructureNotifyMask);
    XSync(skype.display, False);
    puts("!watching");
  } else if (strncmp(line, "!begin ", 7) == 0) {
    send_raw(skype.begin, line + 7);
  } else if (strncmp(line, "!more ", 6) == 0) {
    send_raw(skype.more, line + 6);
  } else if (strcmp(line, "!stale") == 0) {
    leave_stale();
  } else if (strcmp(line, "!await") == 0) {
    await();
    puts("!there");
  } else {
    fail("no such word: %s", line);
  }
  XFlush(skype.display);
}

int main(void) {
  static char input[INPUT];
  size_t filled = 0;
  open_display(False);
  /* Its guard is the test's: it waits for commands. */
  alarm(0);
  find_skype();
  for (;;) {
    int connection = ConnectionNumber(skype.display);
    fd_set readable;
    char *end;
    while (XPending(skype.display) > 0) {
      XEvent event;
      XNextEvent(skype.display, &event);
      show(&event);
    }
    while ((end = memchr(input, '\n', filled)) != NULL) {
      size_t taken = (size_t)(end - input) + 1;
      *end = '\0';
      obey(input);
      memmove(input, input + taken, filled - taken);
      filled -= taken;
    }
    if (XPending(skype.display) > 0) continue;
    FD_ZERO(&readable);
    FD_SET(0, &readable);
    FD_SET(connection, &readable);
    if (select(connection + 1, &readable, NULL, NULL, NULL) < 0) fail("select");
    if (FD_ISSET(0, &readable)) {
      ssize_t count;
      if (filled == INPUT) fail("a command longer than %d bytes", INPUT);
      count = read(0, input + filled, INPUT - filled);
      /* Without a word of goodbye. */
      if (count <= 0) _exit(0);
      filled += (size_t)count;
    }
  }
}
