import { isExactNumber } from '@jobber/shared/json';
import {
  type FloatValueNode,
  GraphQLError,
  GraphQLID,
  getNamedType,
  type IntValueNode,
  type ValidationRule,
} from 'graphql';

/** As text such a number would be another one: `job(id: 9007199254740993)` would ask for job 9007199254740992. */
export const refuseLossyNumbers: ValidationRule = (context) => {
  function check(node: IntValueNode | FloatValueNode): void {
    // An ID is a text, however it is written.
    if (getNamedType(context.getInputType()) === GraphQLID || isExactNumber(node.value)) return;
    const got = node.value.length > 40 ? `${node.value.slice(0, 40)}…` : node.value;
    const message = `Expected a number whose digits a 64-bit float keeps, got ${got}.`;
    context.reportError(new GraphQLError(message, { nodes: node }));
  }
  return { IntValue: check, FloatValue: check };
};
