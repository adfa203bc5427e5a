import { AppError, type Reason } from '@jobber/shared/errors';
import {
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  NoSchemaIntrospectionCustomRule,
  parse,
  specifiedRules,
  validate,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import { limitComplexity } from './limit-complexity.ts';
import { refuseLossyNumbers } from './refuse-lossy-numbers.ts';

/** Tokens of one document; data belongs in variables. */
const MAX_TOKENS = 20_000;
/** Documents of at most this many characters are kept parsed. */
const MAX_KEPT_LENGTH = 10_000;
const MAX_KEPT = 500;

export interface DocumentCheck {
  /** The document of this text, if it was found sound before and is still kept. */
  known(query: string): DocumentNode | undefined;
  /** Parses and validates. @throws AppError 400 MALFORMED_REQUEST | QUERY_TOO_COMPLEX */
  check(query: string): DocumentNode;
}

/** @param production whether the schema is not told: no introspection, no suggestions */
export function createDocumentCheck(schema: GraphQLSchema, production: boolean): DocumentCheck {
  // First of all its size: GraphQL's own rules compare each field with all others of its name.
  const passes = [
    [limitComplexity()],
    [...specifiedRules, ...(production ? [NoSchemaIntrospectionCustomRule] : [])],
    [refuseLossyNumbers],
  ];
  const sound = new LRUCache<string, DocumentNode>({ max: MAX_KEPT });

  return {
    known: (query) => sound.get(query),
    check(query) {
      const document = parseDocument(query);
      for (const rules of passes) {
        const [first] = validate(schema, document, rules, { maxErrors: 1, hideSuggestions: production });
        if (first) refuseDocument(first.message);
      }
      if (query.length <= MAX_KEPT_LENGTH) sound.set(query, document);
      return document;
    },
  };
}

function parseDocument(query: string): DocumentNode {
  try {
    return parse(query, { maxTokens: MAX_TOKENS });
  } catch (error) {
    if (!(error instanceof GraphQLError)) return refuseDocument('The query is nested too deeply');
    const tooLong = /more tha[nt] \d+ tokens/.test(error.message);
    return refuseDocument(
      tooLong ? `The query has too many tokens; the limit is ${MAX_TOKENS}` : error.message,
    );
  }
}

function refuseDocument(message: string): never {
  const reason: Reason = /limit|nested too/.test(message) ? 'QUERY_TOO_COMPLEX' : 'MALFORMED_REQUEST';
  throw new AppError(reason, message);
}
