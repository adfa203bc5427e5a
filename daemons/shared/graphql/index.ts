export { type GraphqlOptions, graphqlRoute, type Resolver, type Resolvers } from './graphql-route.ts';
export { limitComplexity } from './limit-complexity.ts';
export { dateTimeScalar, exactJsonScalar } from './scalars.ts';
