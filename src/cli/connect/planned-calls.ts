/** Which exchange is called where in a journey. Pure. */
import type { PolicyDocument } from '../../desk/policies/policy-document.ts';
import { type Exchange, exchangeKey } from '../../policy/exchange.ts';
import { SIGN_IN_COMPLETED, SIGN_IN_STARTED } from '../../sign-in/steps.ts';
import { CommandRefusal } from '../refusal.ts';
import type { PageCalls } from './extended-page.ts';
import { type CallPlace, callOf, type PlannedCall, UnreachableClaim } from './gatehouse-calls.ts';
import {
  type JourneyPage,
  type JourneyParts,
  journeyParts,
  signInPages,
  signUpPages,
  verifiedEmails,
} from './journey-parts.ts';
import { lower, type PolicyChain } from './policy-chain.ts';
import { refreshJourneyOf } from './relying-party.ts';

export interface PlannedCalls {
  readonly parts: JourneyParts;
  readonly refresh: JourneyParts | undefined;
  /** In the first steps. */
  readonly started: readonly PlannedCall[];
  /** At the pages where a person signs in. */
  readonly typed: readonly PageCalls[];
  /** At the pages that create an account. */
  readonly checked: readonly PageCalls[];
  /** Before the token. */
  readonly tokens: readonly PlannedCall[];
  /** Before the token of a refresh. */
  readonly refreshed: readonly PlannedCall[];
  /** Last, before the token. */
  readonly completed: readonly PlannedCall[];
}

/** They are called whatever else is. */
export const SHOWS_SIGN_INS: ReadonlySet<string> = new Set([SIGN_IN_STARTED, SIGN_IN_COMPLETED].map(exchangeKey));

const REFRESH_ADVICE =
  'Remove --refresh, or give the file that has it, and your relying party, whose endpoint Token names it.';

export function plannedCalls(
  chain: PolicyChain,
  document: PolicyDocument,
  exchanges: readonly Exchange[],
  settings: { readonly journey: string; readonly isRefreshed: boolean },
): PlannedCalls {
  const parts = journeyParts(chain, settings.journey, 'Choose another with --journey, or give the file that has it.');
  const refresh = settings.isRefreshed ? journeyParts(chain, refreshJourneyOf(chain), REFRESH_ADVICE) : undefined;
  const call = (exchange: Exchange, place: CallPlace): PlannedCall => {
    try {
      return callOf(exchange, place, chain, document);
    } catch (error) {
      throw error instanceof UnreachableClaim ? new CommandRefusal(error.message) : error;
    }
  };
  const after = ({ steps }: JourneyParts): CallPlace => ({
    available: chain.outputsOf(steps),
    isPage: false,
    verifiedEmails: verifiedEmails(chain, steps),
  });
  const named = (wanted: string) => exchanges.filter(({ name }) => exchangeKey(name) === exchangeKey(wanted));
  const own = exchanges.filter(({ name }) => !SHOWS_SIGN_INS.has(exchangeKey(name)));
  const atToken = own.filter(({ kind }) => kind === 'orchestration');
  const validations = own.filter(({ kind }) => kind === 'validation');

  const started = named(SIGN_IN_STARTED).map((exchange) => call(exchange, { ...NOWHERE, available: new Set() }));
  const typed = atPages(signInPages(chain, parts), true, (page) =>
    named(SIGN_IN_STARTED).map((exchange) => renamed(call(exchange, { ...NOWHERE, ...page }), 'Typed')),
  );
  const pages = validations.length === 0 ? [] : signUpPages(chain, parts);
  if (validations.length > 0 && pages.length === 0)
    throw new CommandRefusal(
      `The journey ${settings.journey} has no page that creates an account, where ${validations[0]?.name} could be called. ` +
        'Choose another journey with --journey, or leave the exchange out with --exchange.',
    );
  const checked = atPages(pages, false, (page) =>
    validations.map((exchange) => call(exchange, { ...NOWHERE, ...page, isPage: true })),
  );
  checked.forEach(refuseHiddenVerification);
  checked.forEach(refuseHiddenInputs);
  const tokens = atToken.map((exchange) => call(exchange, after(parts)));
  // The journey of a refresh knows less about the person.
  const refreshed = refresh
    ? atToken.map((exchange, index) => {
        const planned = call(exchange, after(refresh));
        return isSame(planned, tokens[index]) ? planned : renamed(planned, 'Refresh');
      })
    : [];
  const completed = named(SIGN_IN_COMPLETED).map((exchange) => call(exchange, after(parts)));
  return { parts, refresh, started, typed, checked, tokens, refreshed, completed };
}

const NOWHERE = { isPage: false, verifiedEmails: [] } as const;

/** A page that has other claims than the first one gets technical profiles of its own. */
function atPages(
  pages: readonly JourneyPage[],
  isOptional: boolean,
  callsAt: (page: JourneyPage) => readonly PlannedCall[],
): PageCalls[] {
  const all = pages.map(callsAt);
  return pages.map((page, index) => ({
    page,
    isOptional,
    calls: (all[index] ?? []).map((planned, position) =>
      isSame(planned, all[0]?.[position]) ? planned : renamed(planned, `${index + 1}`),
    ),
  }));
}

const isSame = (one: PlannedCall, other: PlannedCall | undefined): boolean =>
  JSON.stringify(one.inputs) === JSON.stringify(other?.inputs);

/** `Gatehouse-GetProfile` as `GatehouseRefresh-GetProfile`: no exchange of another name can have it. */
const renamed = (planned: PlannedCall, word: string): PlannedCall => ({
  ...planned,
  profile: planned.profile.replace('-', `${word}-`),
});

/** B2C shows no field for a claim that a validation of the page outputs. */
function refuseHiddenInputs({ page, calls }: PageCalls): void {
  const outputs = new Set(calls.flatMap((call) => call.outputs.map(({ claimType }) => lower(claimType))));
  for (const { exchange, asked } of calls) {
    const hidden = asked.find((claim) => outputs.has(lower(claim)));
    if (hidden !== undefined)
      throw new CommandRefusal(
        `${exchange.name} reads ${hidden}, which no step gives, and ${page.profile} cannot ask for it, since an exchange ` +
          'there returns a claim of this name. Give the output another name.',
      );
  }
}

function refuseHiddenVerification({ page, calls }: PageCalls): void {
  if (!page.hasDisplayClaims || !calls.some(({ verifiesEmail }) => verifiesEmail)) return;
  throw new CommandRefusal(
    `${page.profile} shows display claims and verifies no e-mail, and an exchange there trusts it. Add a verification ` +
      'of the e-mail to the page, or remove "trusted" from the exchange.',
  );
}
