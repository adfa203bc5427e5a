/** From how many failures on, and for how long, attempts are refused. */
export interface ThrottleRule {
  /** Failures that cost nothing. */
  readonly freeFailures: number;
  /** The delay starts with a second, doubles with each further failure, and ends here: nobody is locked out for ever. */
  readonly maxDelaySeconds: number;
  /** Failures are forgotten after that long without another one. */
  readonly forgetAfterSeconds: number;
}

/** Wrong passwords for one account: at most two guesses a minute, from however many addresses. */
export const ACCOUNT_RULE: ThrottleRule = {
  freeFailures: 5,
  maxDelaySeconds: 30,
  forgetAfterSeconds: 3_600,
};

/** Wrong passwords from one address, for whatever accounts. An office can share one. */
export const ADDRESS_RULE: ThrottleRule = {
  freeFailures: 50,
  maxDelaySeconds: 30,
  forgetAfterSeconds: 900,
};

/** Registrations with a taken address or a wrong setup token, from one address: each tells the asker something. */
export const REGISTRATION_RULE: ThrottleRule = {
  freeFailures: 20,
  maxDelaySeconds: 30,
  forgetAfterSeconds: 900,
};
