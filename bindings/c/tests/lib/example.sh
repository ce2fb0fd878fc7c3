# Sourced by the tests beside this folder.

# Runs a built examples/c/chat.c: it has to get its own words back, over a gateway inside of it.
chats() {
    "$@" >chat.log 2>&1 || fail "$* ends with status $?: $(cat chat.log)"
    tail -n 1 chat.log | grep -q ' BODY hello$' || fail "$* does not hear the echo: $(cat chat.log)"
}
