#!/bin/sh
# Fills fuzz/corpus with one file for each form of command, each event and each call of the imo protocol.
set -eu
cd "$(dirname "$0")"
mkdir -p corpus/request corpus/event corpus/call corpus/x11 corpus/skypeproxy
grep -v '^#' ../tests/reference/commands.txt | grep '|' | cut -d '|' -f 1 |
    sed -e 's/[][]//g' -e 's/<user>/bob/g' -e 's/<users>/bob, cecil/g' -e 's/<id>/100002/g' -e 's/<chat>/#alice\/$bob/g' \
        -e 's/<stream>/bob:1/g' -e 's/<app>/demo/g' -e 's/<bool>/TRUE/g' -e 's/<number>/1/g' -e 's/<path>/\/pics\/a.jpg/g' \
        -e 's/<property>/STATUS/g' -e 's/<role>/HELPER/g' -e 's/<[a-z]*>/x/g' |
    awk '{ file = "corpus/request/" NR; printf "%s", $0 > file; close(file) }'

# What a server says (imo-protocol 5), and the same as the answer to everything that is asked.
events() {
    cat <<'EVENTS'
im|{"name":"signed_on","proto":"prpl-skype","uid":"alice","edata":{"alias":"Alice A"}}
im|{"name":"disconnect","proto":"prpl-skype","uid":"alice","edata":{"msg":"uidpassword"}}
im|{"name":"buddy_added","proto":"prpl-skype","uid":"alice","edata":[{"buid":"bob","alias":"Bob B","group":"Skype","primitive":"available","status":"at work"},{"buid":"g123;","alias":"chat","group":"Skype","type":"group","display":"Plans","primitive":"available"},{"buid":"g123;bob;prpl-skype","alias":"Bob B","group":"g123","primitive":"available","inviter":"alice"}]}
im|{"name":"buddy_status","proto":"prpl-skype","uid":"alice","edata":[{"buid":"bob","primitive":"away","status":"lunch"}]}
im|{"name":"buddy_status","uid":"alice","edata":[{"buid":"g123;","display":"Other plans"}]}
im|{"name":"buddy_removed","uid":"alice","edata":[{"buid":"bob"},{"buid":"g123;carol;prpl-skype"}]}
im|{"name":"buddy_request","uid":"alice","edata":{"buid":"eve","msg":"Hi, add me"}}
im|{"name":"buddy_icon","uid":"alice","edata":[{"buid":"bob","icon":"a1b2c3"}]}
im|{"name":"recv_im","uid":"alice","edata":{"buid":"bob","alias":"Bob B","msg":"hi","timestamp":1353571200,"msg_id":"m1"}}
im|{"name":"recv_im","uid":"alice","edata":{"buid":"g123;","alias":"chat","author":"g123;bob;prpl-skype","msg":"hi all","timestamp":1353571200}}
im|{"name":"im_typing","uid":"alice","edata":{"buid":"bob","typing_state":"typing"}}
internal|{"request_id":0,"response":{"timestamp":1353571201}}
im|{"name":"reflect","type":"account","uid":"alice","edata":{"r_name":"set_status","primitive":"away","status":"lunch"}}
im|{"name":"reflect","type":"conv","uid":"alice","edata":{"r_name":"send_im","buid":"bob","msg":"sent by phone","timestamp":1353571202,"msg_id":"m2","client_msg_id":"a7"}}
im|{"name":"expired","uid":"alice"}
av|{"name":"streams_info","type":"av","uid":"alice","edata":{"buid":"bob","is_initiator":false,"send_stream":"ttfA9ypxiQr5UeXA","recv_stream":"AXeU5rQixpy9Aftt"}}
av|{"name":"streams_info","type":"call","uid":"alice","edata":{"buid":"bob","pipe":{"ip":"192.0.2.1","conv":"c1","role":1}}}
av|{"name":"answered","type":"call","uid":"alice","edata":{"buid":"bob"}}
av|{"name":"ended","type":"call","uid":"alice","edata":{"buid":"bob"}}
preference|{"preferences":[{"kind":"impref","pref":"auto_away","value":true}]}
reset|{"name":"reset"}
EVENTS
}
events | while IFS='|' read -r system event; do
    number=$((${number:-0} + 1))
    for asked in '' t r b f c e; do
        printf '%s{"method":"forward_to_client","data":{"ack":99,"messages":[{"to":{"system":"client"},"from":{"system":"%s"},"seq":%s,"data":%s}]}}' \
            "$asked" "$system" "$number" "$event" > "corpus/event/$number$asked"
    done
done
# One after the other.
for file in $(ls corpus/event | sort -n); do
    cat "corpus/event/$file"
    printf '\0'
done | head -c 4000 > corpus/event/all

# What a client asks (imo-protocol 4); the first letter is who does.
calls() {
    cat <<'CALLS'
observed_user_activity|{}
signoff_all|{}
cookie_login|{}
set_status|{"ad":"","primitive":"away","status":"lunch","auto_away":false}
account_login|{"uid":"alice","proto":"prpl-skype","passwd":"secret","captcha":null}
send_im|{"uid":"alice","proto":"prpl-skype","buid":"bob","msg":"hello","client_msg_id":"a7"}
im_typing|{"buid":"bob","typing_state":"typing"}
add_buddy|{"buid":"carol","group":"Offline"}
del_buddy|{"buid":"bob","group":"Skype"}
block_buddy|{"buid":"bob"}
unblock_buddy|{"buid":"bob"}
change_buddy_alias|{"buid":"bob","alias":"Bobby"}
auth_add|{"buid":"bob"}
auth_deny|{"buid":"bob"}
auth_block|{"buid":"bob"}
get_unread_msgs|{}
get_alpha_for_user|{}
start_audio_chat|{"buid":"bob"}
accept_audio_chat|{"buid":"bob"}
end_audio_chat|{"buid":"bob"}
create_shared_group|{"is_native":false,"name":"1795333452"}
invite_to_group|{"gid":"g1","iproto":"prpl-skype","iuid":"alice","ibuid":"bob"}
kick_member|{"buid":"g1;bob;prpl-skype"}
set_group_topic|{"gid":"g1","topic":"Plans"}
leave_group|{"gid":"g1"}
send_im|{"buid":"g1;","msg":"hello"}
set|{"accounts":[{"uid":"alice","proto":"prpl-skype"}],"preferences":[{"kind":"impref","pref":"auto_away","value":false}]}
CALLS
}
# d, e, f, g are alice, bob, alice again and carol.
calls | while IFS='|' read -r method arguments; do
    number=$((${number:-0} + 1))
    for who in d e; do
        printf '%s{"method":"%s","request_id":%s,"data":%s}' "$who" "$method" "$number" "$arguments" \
            > "corpus/call/$number$who"
    done
    printf '=method=forward_to_server&data={"ack":0,"ssid":"$0","messages":[{"seq":1,"data":{"method":"%s","data":%s}}]}' \
        "$method" "$arguments" > "corpus/call/$number-raw"
done
printf '=method=rest_rpc&data={"ack":0,"ssid":"X","messages":[{"data":{"method":"get_cookie_and_ssid","data":{}},"seq":0}]}' \
    > corpus/call/opening
printf '=method=echo&data={"t":"1"}' > corpus/call/echo
printf '+\0+1234\0+12' > corpus/call/logins
for file in $(ls corpus/call | grep d | sort -n); do
    cat "corpus/call/$file"
    printf '\0'
done > corpus/call/all

# Texts in pieces, of two senders.
printf '\001\000NAME TestPlugin\000\000\000\000\000' > corpus/x11/one
printf '\001\000MESSAGE bob Gr\303\274\303\237e \000\000an alle\000lle lle lle ' > corpus/x11/two
printf '\001\000GET USER bobby ABOUT\003\001GET USER bobby ABOUT\002\001\000ET USER bobby ABOUT\000\001\000ET USER bobby ABOUT' \
    > corpus/x11/senders

# A client that attaches and asks for a picture, in one piece and in pieces of 1 to 3 bytes.
attach='\000\000\000\000\002\000\000\000\000\003\002\012\000\000\000PROTOCOL 7'
picture='\032\000\000\000GET USER bob AVATAR 1 /pic\004\000\000\000PING'
printf "\\000$attach$picture" > corpus/skypeproxy/whole
printf "\\006\\001\\002\\003$attach$picture" > corpus/skypeproxy/pieces
# The same with the password, which is padded, and with a wrong one.
password='\000\000\000\000\001\002\000\000\000k\000'
printf "\\001$password$attach" > corpus/skypeproxy/password
printf "\\007\\001\\002\\003$password$attach" > corpus/skypeproxy/password-pieces
printf '\001\000\000\000\000\001\003\000\000\000k k\004\000\000\000PING' > corpus/skypeproxy/wrong
# Longer than anything can be, and a command that there is not.
printf '\000\000\000\020\000PING' > corpus/skypeproxy/long
printf '\000\001\000\020\000' > corpus/skypeproxy/too-long
printf '\000\000\000\000\000\007' > corpus/skypeproxy/unknown
