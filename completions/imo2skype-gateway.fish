# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_imo2skype_gateway_global_optspecs
    string join \n h/help V/version
end

function __fish_imo2skype_gateway_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_imo2skype_gateway_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_imo2skype_gateway_using_subcommand
    set -l cmd (__fish_imo2skype_gateway_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c imo2skype-gateway -n "__fish_imo2skype_gateway_needs_command" -s h -l help -d 'Print help'
complete -c imo2skype-gateway -n "__fish_imo2skype_gateway_needs_command" -s V -l version -d 'Print version'
complete -c imo2skype-gateway -n "__fish_imo2skype_gateway_needs_command" -f -a "serve" -d 'Run the server until SIGTERM or SIGINT'
complete -c imo2skype-gateway -n "__fish_imo2skype_gateway_needs_command" -f -a "user" -d 'Look after users'
complete -c imo2skype-gateway -n "__fish_imo2skype_gateway_needs_command" -f -a "contact" -d 'Look after contacts'
complete -c imo2skype-gateway -n "__fish_imo2skype_gateway_needs_command" -f -a "status" -d 'Ask a running server how it is'
complete -c imo2skype-gateway -n "__fish_imo2skype_gateway_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c imo2skype-gateway -n "__fish_imo2skype_gateway_using_subcommand serve" -l listen -d 'Address and port to listen on; port 0 picks a free one' -r
complete -c imo2skype-gateway -n "__fish_imo2skype_gateway_using_subcommand serve" -l database -d 'Where accounts and messages are kept; default: imo2skype/gateway.db in the data directory of the platform' -r -F
complete -c imo2skype-gateway -n "__fish_imo2skype_gateway_using_subcommand serve" -l tls-cert -d 'Certificate chain to serve HTTPS with (PEM)' -r -F
complete -c imo2skype-gateway -n "__fish_imo2skype_gateway_using_subcommand serve" -l tls-key -d 'Its private key (PEM)' -r -F
complete -c imo2skype-gateway -n "__fish_imo2skype_gateway_using_subcommand serve" -l open-registration -d 'Register an unknown name at its first login'
complete -c imo2skype-gateway -n "__fish_imo2skype_gateway_using_subcommand serve" -s h -l help -d 'Print help'
complete -c imo2skype-gateway -n "__fish_imo2skype_gateway_using_subcommand user; and not __fish_seen_subcommand_from add passwd remove avatar list help" -s h -l help -d 'Print help'
complete -c imo2skype-gateway -n "__fish_imo2skype_gateway_using_subcommand user; and not __fish_seen_subcommand_from add passwd remove avatar list help" -f -a "add" -d 'Register a user'
complete -c imo2skype-gateway -n "__fish_imo2skype_gateway_using_subcommand user; and not __fish_seen_subcommand_from add passwd remove avatar list help" -f -a "passwd" -d 'Give a user a new password'
complete -c imo2skype-gateway -n "__fish_imo2skype_gateway_using_subcommand user; and not __fish_seen_subcommand_from add passwd remove avatar list help" -f -a "remove" -d 'Remove a user with contacts, messages, chats and picture'
complete -c imo2skype-gateway -n "__fish_imo2skype_gateway_using_subcommand user; and not __fish_seen_subcommand_from add passwd remove avatar list help" -f -a "avatar" -d 'Give a user a picture; a running server shows it within seconds'
complete -c imo2skype-gateway -n "__fish_imo2skype_gateway_using_subcommand user; and not __fish_seen_subcommand_from add passwd remove avatar list help" -f -a "list" -d 'Show all users, one in a line'
complete -c imo2skype-gateway -n "__fish_imo2skype_gateway_using_subcommand user; and not __fish_seen_subcommand_from add passwd remove avatar list help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c imo2skype-gateway -n "__fish_imo2skype_gateway_using_subcommand user; and __fish_seen_subcommand_from add" -l password-file -d 'Read the password from the first line of a file' -r -F
complete -c imo2skype-gateway -n "__fish_imo2skype_gateway_using_subcommand user; and __fish_seen_subcommand_from add" -l database -d 'Where accounts and messages are kept; default: imo2skype/gateway.db in the data directory of the platform' -r -F
complete -c imo2skype-gateway -n "__fish_imo2skype_gateway_using_subcommand user; and __fish_seen_subcommand_from add" -s h -l help -d 'Print help'
complete -c imo2skype-gateway -n "__fish_imo2skype_gateway_using_subcommand user; and __fish_seen_subcommand_from passwd" -l password-file -d 'Read the password from the first line of a file' -r -F
complete -c imo2skype-gateway -n "__fish_imo2skype_gateway_using_subcommand user; and __fish_seen_subcommand_from passwd" -l database -d 'Where accounts and messages are kept; default: imo2skype/gateway.db in the data directory of the platform' -r -F
complete -c imo2skype-gateway -n "__fish_imo2skype_gateway_using_subcommand user; and __fish_seen_subcommand_from passwd" -s h -l help -d 'Print help'
complete -c imo2skype-gateway -n "__fish_imo2skype_gateway_using_subcommand user; and __fish_seen_subcommand_from remove" -l database -d 'Where accounts and messages are kept; default: imo2skype/gateway.db in the data directory of the platform' -r -F
complete -c imo2skype-gateway -n "__fish_imo2skype_gateway_using_subcommand user; and __fish_seen_subcommand_from remove" -s h -l help -d 'Print help'
complete -c imo2skype-gateway -n "__fish_imo2skype_gateway_using_subcommand user; and __fish_seen_subcommand_from avatar" -l database -d 'Where accounts and messages are kept; default: imo2skype/gateway.db in the data directory of the platform' -r -F
complete -c imo2skype-gateway -n "__fish_imo2skype_gateway_using_subcommand user; and __fish_seen_subcommand_from avatar" -l remove -d 'Take the picture away'
complete -c imo2skype-gateway -n "__fish_imo2skype_gateway_using_subcommand user; and __fish_seen_subcommand_from avatar" -s h -l help -d 'Print help'
complete -c imo2skype-gateway -n "__fish_imo2skype_gateway_using_subcommand user; and __fish_seen_subcommand_from list" -l database -d 'Where accounts and messages are kept; default: imo2skype/gateway.db in the data directory of the platform' -r -F
complete -c imo2skype-gateway -n "__fish_imo2skype_gateway_using_subcommand user; and __fish_seen_subcommand_from list" -l waiting -d 'After each name and a tab: how many messages wait for the user'
complete -c imo2skype-gateway -n "__fish_imo2skype_gateway_using_subcommand user; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c imo2skype-gateway -n "__fish_imo2skype_gateway_using_subcommand user; and __fish_seen_subcommand_from help" -f -a "add" -d 'Register a user'
complete -c imo2skype-gateway -n "__fish_imo2skype_gateway_using_subcommand user; and __fish_seen_subcommand_from help" -f -a "passwd" -d 'Give a user a new password'
complete -c imo2skype-gateway -n "__fish_imo2skype_gateway_using_subcommand user; and __fish_seen_subcommand_from help" -f -a "remove" -d 'Remove a user with contacts, messages, chats and picture'
complete -c imo2skype-gateway -n "__fish_imo2skype_gateway_using_subcommand user; and __fish_seen_subcommand_from help" -f -a "avatar" -d 'Give a user a picture; a running server shows it within seconds'
complete -c imo2skype-gateway -n "__fish_imo2skype_gateway_using_subcommand user; and __fish_seen_subcommand_from help" -f -a "list" -d 'Show all users, one in a line'
complete -c imo2skype-gateway -n "__fish_imo2skype_gateway_using_subcommand user; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c imo2skype-gateway -n "__fish_imo2skype_gateway_using_subcommand contact; and not __fish_seen_subcommand_from add help" -s h -l help -d 'Print help'
complete -c imo2skype-gateway -n "__fish_imo2skype_gateway_using_subcommand contact; and not __fish_seen_subcommand_from add help" -f -a "add" -d 'Make two users contacts of each other'
complete -c imo2skype-gateway -n "__fish_imo2skype_gateway_using_subcommand contact; and not __fish_seen_subcommand_from add help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c imo2skype-gateway -n "__fish_imo2skype_gateway_using_subcommand contact; and __fish_seen_subcommand_from add" -l database -d 'Where accounts and messages are kept; default: imo2skype/gateway.db in the data directory of the platform' -r -F
complete -c imo2skype-gateway -n "__fish_imo2skype_gateway_using_subcommand contact; and __fish_seen_subcommand_from add" -s h -l help -d 'Print help'
complete -c imo2skype-gateway -n "__fish_imo2skype_gateway_using_subcommand contact; and __fish_seen_subcommand_from help" -f -a "add" -d 'Make two users contacts of each other'
complete -c imo2skype-gateway -n "__fish_imo2skype_gateway_using_subcommand contact; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c imo2skype-gateway -n "__fish_imo2skype_gateway_using_subcommand status" -l server -d 'Its address' -r
complete -c imo2skype-gateway -n "__fish_imo2skype_gateway_using_subcommand status" -l database -d 'Has no effect here; taken because every command has it' -r -F
complete -c imo2skype-gateway -n "__fish_imo2skype_gateway_using_subcommand status" -s h -l help -d 'Print help'
complete -c imo2skype-gateway -n "__fish_imo2skype_gateway_using_subcommand help; and not __fish_seen_subcommand_from serve user contact status help" -f -a "serve" -d 'Run the server until SIGTERM or SIGINT'
complete -c imo2skype-gateway -n "__fish_imo2skype_gateway_using_subcommand help; and not __fish_seen_subcommand_from serve user contact status help" -f -a "user" -d 'Look after users'
complete -c imo2skype-gateway -n "__fish_imo2skype_gateway_using_subcommand help; and not __fish_seen_subcommand_from serve user contact status help" -f -a "contact" -d 'Look after contacts'
complete -c imo2skype-gateway -n "__fish_imo2skype_gateway_using_subcommand help; and not __fish_seen_subcommand_from serve user contact status help" -f -a "status" -d 'Ask a running server how it is'
complete -c imo2skype-gateway -n "__fish_imo2skype_gateway_using_subcommand help; and not __fish_seen_subcommand_from serve user contact status help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c imo2skype-gateway -n "__fish_imo2skype_gateway_using_subcommand help; and __fish_seen_subcommand_from user" -f -a "add" -d 'Register a user'
complete -c imo2skype-gateway -n "__fish_imo2skype_gateway_using_subcommand help; and __fish_seen_subcommand_from user" -f -a "passwd" -d 'Give a user a new password'
complete -c imo2skype-gateway -n "__fish_imo2skype_gateway_using_subcommand help; and __fish_seen_subcommand_from user" -f -a "remove" -d 'Remove a user with contacts, messages, chats and picture'
complete -c imo2skype-gateway -n "__fish_imo2skype_gateway_using_subcommand help; and __fish_seen_subcommand_from user" -f -a "avatar" -d 'Give a user a picture; a running server shows it within seconds'
complete -c imo2skype-gateway -n "__fish_imo2skype_gateway_using_subcommand help; and __fish_seen_subcommand_from user" -f -a "list" -d 'Show all users, one in a line'
complete -c imo2skype-gateway -n "__fish_imo2skype_gateway_using_subcommand help; and __fish_seen_subcommand_from contact" -f -a "add" -d 'Make two users contacts of each other'
