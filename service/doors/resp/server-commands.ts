// The commands by which a client asks what the service is: `COMMAND`, as redis-cli and pools of connections send it, and
// `INFO`, by which some tell that a server is ready.

import type { Readiness } from '../readiness.ts';
import { redisVersion } from './client-commands.ts';
import type { CommandKind, Session } from './command.ts';
import type { Command } from './command-reader.ts';
import { array, bulk, error, integer, map, nothing, set, simple, verbatim } from './replies.ts';

/** `kinds`: all that there are, these among them. */
export function serverCommands(
  kinds: () => ReadonlyMap<string, CommandKind>,
  readiness: () => Readiness | Promise<Readiness>,
): CommandKind[] {
  return [
    {
      name: 'command',
      words: [1, Number.POSITIVE_INFINITY],
      usage: '[COUNT | LIST | INFO [name …] | DOCS [name …]]',
      summary: 'Which commands there are.',
      run: (command, session) => commandCommand(command, session, kinds()),
    },
    {
      name: 'info',
      words: [1, Number.POSITIVE_INFINITY],
      usage: '[section …]',
      summary: 'What the service says of itself, as Redis does, and who decides now.',
      run: async (_, { protocol }) => verbatim(infoText(await readiness()), protocol),
    },
  ];
}

/** As Redis writes it; and who decides now, as `/readyz` says, since an answer to a take has no room for it. */
function infoText({ mechanism, breaker, redis, instances }: Readiness): string {
  return [
    '# Server',
    `redis_version:${redisVersion}`,
    'server_name:failopen',
    'redis_mode:standalone',
    '',
    '# Persistence',
    'loading:0',
    '',
    '# Replication',
    'role:master',
    'connected_slaves:0',
    '',
    '# Limiter',
    `mechanism:${mechanism}`,
    `breaker:${breaker.state}`,
    `redis:${redis}`,
    `instances:${instances}`,
    '',
  ].join('\r\n');
}

function commandCommand(command: Command, { protocol }: Session, kinds: ReadonlyMap<string, CommandKind>): string {
  const [, subcommand, ...names] = command;
  const asked = names.length === 0 ? [...kinds.values()] : names.map((name) => kinds.get(name.toLowerCase()));
  const known = asked.filter((kind) => kind !== undefined);
  switch (subcommand?.toLowerCase()) {
    case undefined:
    case 'info':
      return array(asked.map((kind) => (kind ? infoOf(kind, protocol) : nothing(protocol))));
    case 'count':
      return integer(kinds.size);
    case 'list':
      return array(known.map(({ name }) => bulk(name)));
    case 'docs':
      return map(
        known.map(({ name, summary, usage }) => [
          bulk(name),
          map(
            [
              [bulk('summary'), bulk(summary)],
              [bulk('group'), bulk(name.endsWith('throttle') ? 'module' : 'connection')],
              [bulk('arguments'), array(argumentsOf(usage, protocol))],
            ],
            protocol,
          ),
        ]),
        protocol,
      );
    default:
      return error(`ERR unknown subcommand '${subcommand?.slice(0, 128)}'. Try COMMAND HELP.`);
  }
}

/**
 * Its name, words, flags, and where its key is: first, last, step. Then what Redis 7 has beyond that, since clients read it of
 * a server of that version: categories; hints, places of keys and subcommands, of which there are none.
 */
function infoOf({ name, words: [min, max] }: CommandKind, protocol: Session['protocol']): string {
  const takes = name.endsWith('throttle');
  const key = integer(takes ? 1 : 0);
  const words = takes ? -5 : min === max ? min : -min;
  const namesOf = (...names: string[]) => set(names.map(simple), protocol);
  const categories = takes ? namesOf('@write', '@slow') : namesOf('@fast', '@connection');
  const beyond = [categories, namesOf(), namesOf(), namesOf()];
  return array([bulk(name), integer(words), namesOf(takes ? 'write' : 'fast'), key, key, key, ...beyond]);
}

function argumentsOf(usage: string, protocol: Session['protocol']): string[] {
  if (usage === '') return [];
  return usage.split(/ (?![^[]*\])/).map((text) =>
    map(
      [
        [bulk('name'), bulk(text)],
        [bulk('type'), bulk('string')],
      ],
      protocol,
    ),
  );
}
