// The commands by which a client says who it is and how it wants to be answered, and by which it asks whether it is heard.

import type { TokenSet } from '../token-set.ts';
import type { CommandKind, Session } from './command.ts';
import type { Command } from './command-reader.ts';
import { array, bulk, error, integer, map, nothing, ok, simple } from './replies.ts';

/** Of which Redis the protocol is spoken. */
export const redisVersion = '7.4.0';

export function clientCommands(passwords: TokenSet | undefined): CommandKind[] {
  return [
    {
      name: 'ping',
      words: [1, 2],
      usage: '[message]',
      summary: 'Says that the service is there.',
      run: ([, message]) => (message === undefined ? simple('PONG') : bulk(message)),
    },
    {
      name: 'echo',
      words: [2, 2],
      usage: 'message',
      summary: 'Answers the message.',
      run: ([, message]) => bulk(message as string),
    },
    {
      name: 'hello',
      words: [1, Number.POSITIVE_INFINITY],
      isOpen: true,
      usage: '[protover [AUTH username password] [SETNAME clientname]]',
      summary: 'Chooses RESP2 or RESP3, and says the password.',
      run: (command, session) => hello(command, session, passwords),
    },
    {
      name: 'auth',
      words: [2, 3],
      isOpen: true,
      usage: '[username] password',
      summary: 'Says the password.',
      run: ([, first, second], session) =>
        second === undefined
          ? authenticate(session, passwords, undefined, first as string)
          : authenticate(session, passwords, first as string, second),
    },
    {
      name: 'client',
      words: [2, Number.POSITIVE_INFINITY],
      usage: 'ID | GETNAME | SETNAME name | SETINFO attribute value | INFO | NO-EVICT on | NO-TOUCH on',
      summary: 'What a client tells of itself.',
      run: client,
    },
    {
      name: 'select',
      words: [2, 2],
      usage: '0',
      summary: 'There is one database, 0.',
      run: ([, index]) => (index === '0' ? ok : error('ERR DB index is out of range')),
    },
    {
      name: 'reset',
      words: [1, 1],
      isOpen: true,
      usage: '',
      summary: 'Makes the connection as it was when it was new.',
      run(_, session) {
        session.protocol = 2;
        session.isKnown = passwords === undefined;
        session.name = '';
        return simple('RESET');
      },
    },
    {
      name: 'quit',
      words: [1, Number.POSITIVE_INFINITY],
      isOpen: true,
      usage: '',
      summary: 'Closes the connection.',
      run(_, session) {
        session.isOver = true;
        return ok;
      },
    },
  ];
}

/** Undefined `username`: the one that everybody has. */
function authenticate(
  session: Session,
  passwords: TokenSet | undefined,
  username: string | undefined,
  password: string,
): string {
  if (!passwords) {
    return username === undefined
      ? error(
          'ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?',
        )
      : ok;
  }
  if ((username !== undefined && username !== 'default') || !passwords.has(password))
    return error('WRONGPASS invalid username-password pair or user is disabled.');
  session.isKnown = true;
  return ok;
}

function hello(command: Command, session: Session, passwords: TokenSet | undefined): string {
  const [, version, ...options] = command;
  if (version !== undefined && !/^\d{1,9}$/.test(version))
    return error('ERR Protocol version is not an integer or out of range');
  if (version !== undefined && version !== '2' && version !== '3') return error('NOPROTO unsupported protocol version');
  let name: string | undefined;
  while (options.length > 0) {
    const option = options.shift() as string;
    const isAuth = option.toLowerCase() === 'auth' && options.length >= 2;
    const namesIt = option.toLowerCase() === 'setname' && options.length >= 1;
    if (!isAuth && !namesIt) return error(`ERR Syntax error in HELLO option '${option.slice(0, 128)}'`);
    if (isAuth) {
      const answer = authenticate(session, passwords, options.shift() as string, options.shift() as string);
      if (answer !== ok) return answer;
    } else {
      name = options.shift() as string;
      if (!isName(name)) return error(nameError);
    }
  }
  if (!session.isKnown)
    return error(
      'NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time',
    );
  if (name !== undefined) session.name = name;
  if (version !== undefined) session.protocol = version === '3' ? 3 : 2;
  return map(
    [
      [bulk('server'), bulk('failopen')],
      [bulk('version'), bulk(redisVersion)],
      [bulk('proto'), integer(session.protocol)],
      [bulk('id'), integer(session.id)],
      [bulk('mode'), bulk('standalone')],
      [bulk('role'), bulk('master')],
      [bulk('modules'), array([])],
    ],
    session.protocol,
  );
}

const nameError = 'ERR Client names cannot contain spaces, newlines or special characters.';
const isName = (text: string) => /^[!-~]*$/.test(text) && text.length <= 256;

function client(command: Command, session: Session): string {
  const [, subcommand = '', first, second] = command;
  const has = (words: number) => command.length === words;
  switch (subcommand.toLowerCase()) {
    case 'id':
      if (has(2)) return integer(session.id);
      break;
    case 'getname':
      if (has(2)) return session.name === '' ? nothing(session.protocol) : bulk(session.name);
      break;
    case 'setname':
      if (!has(3)) break;
      if (!isName(first as string)) return error(nameError);
      session.name = first as string;
      return ok;
    case 'setinfo':
      if (!has(4)) break;
      if (!/^lib-(name|ver)$/i.test(first as string)) return error(`ERR Unrecognized option '${first}'`);
      if (!isName(second as string))
        return error(`ERR ${first?.toLowerCase()} cannot contain spaces, newlines or special characters.`);
      return ok;
    case 'info':
      if (has(2)) return bulk(`id=${session.id} name=${session.name} resp=${session.protocol}\n`);
      break;
    case 'no-evict':
    case 'no-touch':
      if (has(3)) return /^(on|off)$/i.test(first as string) ? ok : error('ERR syntax error');
      break;
    default:
      return error(`ERR unknown subcommand '${subcommand.slice(0, 128)}'. Try CLIENT HELP.`);
  }
  return error(`ERR wrong number of arguments for 'client|${subcommand.toLowerCase()}' command`);
}
