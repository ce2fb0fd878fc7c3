/* What clients on X11 have in common: a window, three atoms, texts in pieces of 20 bytes (transports 3). Whatever is
   not as it has to be ends the client with a text that says so. */
#ifndef SKYPE_H
#define SKYPE_H

#include <X11/Xatom.h>
#include <X11/Xlib.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIECE 20

/* Only guards against a client that hangs. */
#define GUARD 50

/* Room for a line; the smallest client has little. */
#ifndef ROOM
#define ROOM (2 * 1024 * 1024)
#endif

struct skype {
  Display *display;
  Window root;
  /* Ours, and the one that the property names. */
  Window own, window;
  Atom instance, begin, more;
  /* Whether the bytes behind the NUL are those of the piece before, as Skype4Py leaves them. */
  int leaves_rests;
  char piece[PIECE];
  /* The line that comes in, and how much of it has come; -1 is nothing. */
  char line[ROOM];
  long length;
};

/* One for the program: it is large. */
static struct skype skype;

/* What the client waits for, to be told if it does not come. */
static const char *waiting_for = "nothing";

__attribute__((noreturn, format(printf, 1, 2))) static inline void fail(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fputs("client: ", stderr);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
  exit(1);
}

static inline void hang(int signal) {
  static const char text[] = "client: this did not come: ";
  (void)signal;
  if (write(2, text, sizeof text - 1) < 0 || write(2, waiting_for, strlen(waiting_for)) < 0 || write(2, "\n", 1) < 0)
    _exit(3);
  _exit(2);
}

static inline int refuse_errors(Display *display, XErrorEvent *error) {
  (void)display;
  fail("the display refuses something: error %d of request %d", error->error_code, error->request_code);
}

/* Opens the display; `only_if_exists` as some clients intern their atoms, which a Skype must have done before. */
static inline void open_display(Bool only_if_exists) {
  skype.length = -1;
  signal(SIGALRM, hang);
  alarm(GUARD);
  setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
  XSetErrorHandler(refuse_errors);
  skype.display = XOpenDisplay(NULL);
  if (skype.display == NULL) fail("no display %s", XDisplayName(NULL));
  skype.root = DefaultRootWindow(skype.display);
  skype.own = XCreateSimpleWindow(skype.display, skype.root, 0, 0, 1, 1, 0, 0, 0);
  skype.instance = XInternAtom(skype.display, "_SKYPE_INSTANCE", only_if_exists);
  skype.begin = XInternAtom(skype.display, "SKYPECONTROLAPI_MESSAGE_BEGIN", only_if_exists);
  skype.more = XInternAtom(skype.display, "SKYPECONTROLAPI_MESSAGE", only_if_exists);
  if (skype.instance == None || skype.begin == None || skype.more == None) fail("not all three atoms exist");
}

/* Whether there is a Skype; its window is known then. */
static inline int find_skype(void) {
  Atom type;
  int format;
  unsigned long items, left;
  unsigned char *value = NULL;
  skype.window = None;
  if (XGetWindowProperty(skype.display, skype.root, skype.instance, 0, 2, False, XA_WINDOW, &type, &format, &items,
                         &left, &value) != Success)
    fail("the property cannot be read");
  if (type == None) return 0;
  if (type != XA_WINDOW || format != 32 || items != 1 || left != 0)
    fail("_SKYPE_INSTANCE: type %lu, format %d, %lu items", type, format, items);
  skype.window = *(Window *)(void *)value;
  XFree(value);
  return 1;
}

static inline void attach(Bool only_if_exists) {
  open_display(only_if_exists);
  if (!find_skype()) fail("no _SKYPE_INSTANCE");
}

/* Sends one piece as it is. */
static inline void send_piece(Atom kind, const char *piece) {
  XEvent event;
  memset(&event, 0, sizeof event);
  event.xclient.type = ClientMessage;
  event.xclient.display = skype.display;
  event.xclient.window = skype.own;
  event.xclient.message_type = kind;
  event.xclient.format = 8;
  memcpy(event.xclient.data.b, piece, PIECE);
  if (!XSendEvent(skype.display, skype.window, False, 0, &event)) fail("an event cannot be sent");
}

static inline void say(const char *text) {
  size_t left = strlen(text) + 1;
  Atom kind = skype.begin;
  while (left > 0) {
    size_t part = left < PIECE ? left : PIECE;
    if (!skype.leaves_rests) memset(skype.piece, 0, PIECE);
    memcpy(skype.piece, text, part);
    send_piece(kind, skype.piece);
    kind = skype.more;
    text += part;
    left -= part;
  }
  XFlush(skype.display);
}

/* Takes an event; whether a line is whole with it. */
static inline int take(const XEvent *event) {
  const XClientMessageEvent *message = &event->xclient;
  long at;
  if (event->type != ClientMessage) return 0;
  if (!message->send_event || message->format != 8) fail("a message of format %d", message->format);
  if (message->window != skype.window)
    fail("a message from window %#lx, and not from %#lx", message->window, skype.window);
  if (message->message_type == skype.begin) {
    if (skype.length >= 0) fail("a message begins before this one has ended: %.*s", (int)skype.length, skype.line);
    skype.length = 0;
  } else if (message->message_type == skype.more) {
    if (skype.length < 0) fail("a message without a beginning");
    if (skype.length == 0 || skype.length % PIECE != 0) fail("a further piece behind %ld bytes", skype.length);
  } else {
    fail("a message of another kind: %lu", message->message_type);
  }
  for (at = 0; at < PIECE; at++) {
    if (skype.length >= ROOM) fail("a line longer than %d bytes", ROOM);
    skype.line[skype.length] = message->data.b[at];
    if (message->data.b[at] == '\0') {
      skype.length = -1;
      return 1;
    }
    skype.length++;
  }
  return 0;
}

/* The next line. */
static inline const char *next_line(void) {
  XEvent event;
  do XNextEvent(skype.display, &event);
  while (!take(&event));
  return skype.line;
}

/* The next line that begins so. */
static inline const char *wait_for(const char *head) {
  const char *line;
  waiting_for = head;
  do line = next_line();
  while (strncmp(line, head, strlen(head)) != 0);
  return line;
}

/* The next line is this one. */
static inline void expect(const char *expected) {
  const char *line;
  waiting_for = expected;
  line = next_line();
  if (strcmp(line, expected) != 0) fail("instead of \"%s\" came \"%s\"", expected, line);
}

/* The line that begins so is this one. */
static inline void expect_of(const char *head, const char *expected) {
  const char *line = wait_for(head);
  if (strcmp(line, expected) != 0) fail("instead of \"%s\" came \"%s\"", expected, line);
}

#endif
