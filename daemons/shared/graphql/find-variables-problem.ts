import {
  coerceInputValue,
  type DocumentNode,
  type GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  isInputType,
  typeFromAST,
} from 'graphql';

/**
 * What is wrong with the variables of a request, in one line that says where; undefined when nothing is, or when GraphQL
 * itself tells it. GraphQL's own sentence repeats the whole value that is wrong: the password beside a misspelled field,
 * or a megabyte.
 * @param hideSuggestions whether the schema is not told
 */
export function findVariablesProblem(
  schema: GraphQLSchema,
  document: DocumentNode,
  params: {
    readonly variables: Readonly<Record<string, unknown>> | null;
    readonly operationName: string | null;
  },
  hideSuggestions: boolean,
): string | undefined {
  const operation = getOperationAST(document, params.operationName);
  const values = params.variables ?? {};
  let problem: string | undefined;
  for (const { variable, type: typeNode } of operation?.variableDefinitions ?? []) {
    const name = variable.name.value;
    const type = typeFromAST(schema, typeNode as never);
    // One that is missing is told by GraphQL: there is no value to repeat.
    if (!isInputType(type) || !Object.hasOwn(values, name)) continue;
    const onError = (path: readonly (string | number)[], _invalid: unknown, error: GraphQLError) => {
      problem ??= `Variable "$${[name, ...path].join('.')}": ${withoutValue(error.message)}`;
    };
    coerceInputValue(values[name], type, onError, hideSuggestions);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

const MAX_LENGTH = 300;

/** Scalars end their sentences with the value: `String cannot represent a non string value: 12345`. */
function withoutValue(sentence: string): string {
  const shown = sentence.replace(/ value: .*$/s, ' value').replaceAll(/\p{C}/gu, '\u{fffd}');
  return shown.length <= MAX_LENGTH ? shown : `${shown.slice(0, MAX_LENGTH - 1).toWellFormed()}…`;
}
