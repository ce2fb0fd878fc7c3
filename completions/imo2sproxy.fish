complete -c imo2sproxy -l pid-file -d 'Write the number of the process to FILE' -r -F
complete -c imo2sproxy -s l -l log-file -d 'Append the log to FILE instead of writing it to the console' -r -F
complete -c imo2sproxy -s m -d 'Connection point, may be given several times: s SkypeProxy socket (default), a Skype API over window messages (Windows), d D-Bus, x X11, n skypenet, l skyped lines over TLS, c console' -r -f -a "s\t'SkypeProxy socket'
a\t'Skype API over window messages (Windows)'
d\t'D-Bus'
x\t'X11'
n\t'skypenet'
l\t'skyped lines over TLS'
c\t'console: commands on standard input, notifications on standard output'"
complete -c imo2sproxy -s h -l host -d 'Address to bind the socket to; any beyond loopback needs --key [default: 127.0.0.1]' -r
complete -c imo2sproxy -s p -l port -d 'Port to bind the socket to; 0 picks a free one [default: 1401]' -r
complete -c imo2sproxy -l socket -d 'Socket in the file system, for this user alone, in place of the port (beside it with --port or --host)' -r -F
complete -c imo2sproxy -l skypenet-port -d 'Port of the skypenet socket (-m n); 0 picks a free one [default: 5000]' -r
complete -c imo2sproxy -l skyped-port -d 'Port of the skyped socket (-m l); 0 picks a free one [default: 2727]' -r
complete -c imo2sproxy -l skyped-cert -d 'Certificate of the skyped socket (PEM) [default: one that is made and kept in --data-dir]' -r -F
complete -c imo2sproxy -l skyped-key -d 'Private key of that certificate (PEM) [default: in the same file]' -r -F
complete -c imo2sproxy -s k -l key -d 'Password that socket clients must give [env: IMO2SPROXY_KEY]' -r
complete -c imo2sproxy -l allow-clients -d 'What clients may do whose NAME is in no [[client]] table of --config: all, or only known ones are let in [default: all]' -r -f -a "all\t'everything'
known\t'nothing: only those in a [[client]] table are let in'"
complete -c imo2sproxy -l display -d 'X11 display to offer the Skype API on [default: SKYPEDISPLAY or else DISPLAY of the environment]' -r
complete -c imo2sproxy -l reply-delay -d 'D-Bus and X11: replies to commands with an id wait so long, for clients that miss faster ones [default: 0]' -r
complete -c imo2sproxy -l server -d 'imo-compatible server; without it, a gateway inside the program' -r
complete -c imo2sproxy -l ca-file -d 'One more root certificate to trust (PEM)' -r -F
complete -c imo2sproxy -l files -d 'Folder below which clients may have files (pictures of users) read and written; without it they may not' -r -F
complete -c imo2sproxy -l network -d 'Chat network [default: imo]' -r
complete -c imo2sproxy -l password-file -d 'Read the password from FILE' -r -F
complete -c imo2sproxy -l data-dir -d 'Where the histories and the gateway inside the program are kept [default: imo2skype in the data directory of the user]' -r -F
complete -c imo2sproxy -l control -d 'Socket by which --status asks, for this user alone; `none`: none [default: imo2skype/control in XDG_RUNTIME_DIR, or control in --data-dir]' -r -F
complete -c imo2sproxy -l metrics -d 'Tell Prometheus how the accounts stand, at http://ADDR/metrics; a loopback address, port 0 picks a free one' -r
complete -c imo2sproxy -l history -d 'Where messages, chats and their numbers are kept: a file for this account alone, or `memory`, which writes none [default: a file in `history` below --data-dir]' -r -F
complete -c imo2sproxy -l history-days -d 'Keep messages for N days; 0: for ever [default: 0]' -r
complete -c imo2sproxy -l history-messages -d 'Keep about N messages, the newest; 0: all [default: 0]' -r
complete -c imo2sproxy -l send-limit -d 'Try for so long to send a message before it counts as failed [default: 86400]' -r
complete -c imo2sproxy -l export -d 'Write the history to FILE (`-`: standard output) as JSON Lines, and end; a daemon may use it meanwhile' -r -F
complete -c imo2sproxy -l import -d 'Add what --export wrote to the history, all of it or nothing, and end; no daemon may use it' -r -F
complete -c imo2sproxy -l config -d 'TOML file with the same options (`-` is written `_`) and `[[account]]` tables' -r -F
complete -c imo2sproxy -l linger -d 'Console: after the end of input, leave once no line has come for so long [default: 2]' -r
complete -c imo2sproxy -s d -l daemon -d 'Detach from the console'
complete -c imo2sproxy -s v -l verbose -d 'Log every command and notification'
complete -c imo2sproxy -s t -l local-time -d 'Stamp messages with the current time, not with the server\'s'
complete -c imo2sproxy -s i -l interactive -d 'Open the call page of the network in the browser when a call starts'
complete -c imo2sproxy -l keep-online -d 'SET USERSTATUS OFFLINE of one client does not log out the account that others use too'
complete -c imo2sproxy -l dbus-system -d 'D-Bus: the system bus instead of the session bus'
complete -c imo2sproxy -l insecure-http -d 'Take http: for other hosts than this one'
complete -c imo2sproxy -l check-config -d 'Read everything as for a start, say what there is or every problem, and end; nothing is begun, asked or written'
complete -c imo2sproxy -l status -d 'Say how the accounts of the running daemon stand, and end: status 0 if all are online, otherwise 1'
complete -c imo2sproxy -l json -d 'With --status: as JSON'
complete -c imo2sproxy -l help -d 'Print help'
complete -c imo2sproxy -l version -d 'Print version'
