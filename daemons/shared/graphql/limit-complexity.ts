import {
  type ASTVisitor,
  type FragmentDefinitionNode,
  GraphQLError,
  Kind,
  type SelectionSetNode,
  type ValidationContext,
  type ValidationRule,
} from 'graphql';

/** What a document may hold at most. */
export interface ComplexityLimits {
  readonly depth: number;
  /** Fields of the operation's root, after fragments: each is a request of its own. */
  readonly rootFields: number;
  readonly aliases: number;
  readonly directives: number;
  /** Fields, as they are written, and of each operation after fragments are written out. */
  readonly fields: number;
  /** Fragments that are defined. */
  readonly fragments: number;
}

export const DEFAULT_LIMITS: ComplexityLimits = {
  depth: 12,
  rootFields: 20,
  aliases: 30,
  directives: 20,
  fields: 1_000,
  fragments: 50,
};

interface Measure {
  readonly depth: number;
  readonly fields: number;
  readonly rootFields: number;
}

/** A validation rule that refuses documents over the limits, before anything is executed. */
export function limitComplexity(limits: ComplexityLimits = DEFAULT_LIMITS): ValidationRule {
  return function rule(context: ValidationContext): ASTVisitor {
    let aliases = 0;
    let directives = 0;
    let fields = 0;
    let fragments = 0;
    const measured = new Map<string, Measure | 'open'>();

    function measureFragment(fragment: FragmentDefinitionNode): Measure {
      const known = measured.get(fragment.name.value);
      // A cycle is another rule's finding; here it only must not run for ever.
      if (known === 'open') return { depth: 0, fields: 0, rootFields: 0 };
      if (known) return known;
      measured.set(fragment.name.value, 'open');
      const measure = measureSelections(fragment.selectionSet);
      measured.set(fragment.name.value, measure);
      return measure;
    }

    function measureSelections(set: SelectionSetNode): Measure {
      let depth = 0;
      let fields = 0;
      let rootFields = 0;
      for (const selection of set.selections) {
        if (selection.kind === Kind.FIELD) {
          const inner = selection.selectionSet && measureSelections(selection.selectionSet);
          depth = Math.max(depth, 1 + (inner?.depth ?? 0));
          fields += 1 + (inner?.fields ?? 0);
          rootFields += 1;
          continue;
        }
        const fragment =
          selection.kind === Kind.INLINE_FRAGMENT
            ? measureSelections(selection.selectionSet)
            : measureSpread(selection.name.value);
        depth = Math.max(depth, fragment.depth);
        fields += fragment.fields;
        rootFields += fragment.rootFields;
      }
      return { depth, fields, rootFields };
    }

    function measureSpread(name: string): Measure {
      const fragment = context.getFragment(name);
      return fragment ? measureFragment(fragment) : { depth: 0, fields: 0, rootFields: 0 };
    }

    function report(what: string, got: number, limit: number): void {
      if (got <= limit) return;
      context.reportError(new GraphQLError(`The query has ${got} ${what}; the limit is ${limit}`));
    }

    return {
      Field(node) {
        fields += 1;
        if (node.alias) aliases += 1;
      },
      FragmentDefinition() {
        fragments += 1;
      },
      Directive() {
        directives += 1;
      },
      Document: {
        leave(document) {
          report('aliases', aliases, limits.aliases);
          report('directives', directives, limits.directives);
          report('fragments', fragments, limits.fragments);
          report('fields', fields, limits.fields);
          for (const definition of document.definitions) {
            if (definition.kind !== Kind.OPERATION_DEFINITION) continue;
            const measure = measureSelections(definition.selectionSet);
            report('levels', measure.depth, limits.depth);
            report('fields', measure.fields, limits.fields);
            report('operations', measure.rootFields, limits.rootFields);
          }
        },
      },
    };
  };
}
