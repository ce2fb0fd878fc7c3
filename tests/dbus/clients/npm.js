// skype-dbus of npm, as a program uses it (clients 9). Its folder is the first argument.
'use strict';
const createClient = require(process.argv[2]).createClient;

const fail = (text) => { console.error(text); process.exit(1); };
const guard = setTimeout(() => fail('nothing came'), 30000);
createClient('npm', null, (error, client) => {
  if (error) fail('not attached: ' + error);
  const heard = [];
  client.on('notification', (line) => {
    heard.push(line);
    if (line !== 'USERSTATUS ONLINE' || !heard.includes('USERSTATUS AWAY')) return;
    clearTimeout(guard);
    console.log('ok');
    process.exit(0);
  });
  client.send('GET CURRENTUSERHANDLE', (error, reply) => {
    if (error || reply !== 'CURRENTUSERHANDLE alice') fail('CURRENTUSERHANDLE: ' + (error || reply));
    client.send('SEARCH FRIENDS', (error, reply) => {
      if (error || !reply.startsWith('USERS ')) fail('SEARCH FRIENDS: ' + (error || reply));
      client.send('SET USERSTATUS AWAY', (error, reply) => {
        if (error || reply !== 'USERSTATUS AWAY') fail('SET USERSTATUS: ' + (error || reply));
        client.send('SET USERSTATUS ONLINE', () => {});
      });
    });
  });
});
