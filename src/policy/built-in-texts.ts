/** Default messages by key and language. B2C may show each on a block page or above the attributes. */

const CODE = '{supportCode}';

const texts = (byLanguage: { en: string; [language: string]: string }): ReadonlyMap<string, string> =>
  new Map(Object.entries(byLanguage));

export const BUILT_IN_TEXTS = {
  /** The request body is unreadable. */
  'unreadable-body': texts({
    en: `We could not read what was sent for your sign-up. Please try again. If it happens again, contact support and give them this code: ${CODE}`,
    de: `Wir konnten die Angaben zu Ihrer Registrierung nicht lesen. Bitte versuchen Sie es noch einmal. Wenn es wieder geschieht, wenden Sie sich an den Support und nennen Sie diesen Code: ${CODE}`,
    fr: `Nous n’avons pas pu lire les données de votre inscription. Veuillez réessayer. Si cela se reproduit, contactez le support et indiquez ce code : ${CODE}`,
    es: `No hemos podido leer los datos de su registro. Inténtelo de nuevo. Si vuelve a ocurrir, póngase en contacto con soporte e indique este código: ${CODE}`,
    it: `Non siamo riusciti a leggere i dati della sua registrazione. Riprovi. Se succede di nuovo, contatti l’assistenza e comunichi questo codice: ${CODE}`,
    nl: `We konden de gegevens van uw registratie niet lezen. Probeer het opnieuw. Gebeurt het weer, neem dan contact op met support en geef deze code door: ${CODE}`,
  }),
  /** A dependency of Gatehouse failed or timed out. */
  unavailable: texts({
    en: `We cannot complete your sign-up at the moment. Please try again in a few minutes. If it happens again, contact support and give them this code: ${CODE}`,
    de: `Wir können Ihre Registrierung im Moment nicht abschließen. Bitte versuchen Sie es in einigen Minuten noch einmal. Wenn es wieder geschieht, wenden Sie sich an den Support und nennen Sie diesen Code: ${CODE}`,
    fr: `Nous ne pouvons pas terminer votre inscription pour le moment. Veuillez réessayer dans quelques minutes. Si cela se reproduit, contactez le support et indiquez ce code : ${CODE}`,
    es: `No podemos completar su registro en este momento. Inténtelo de nuevo dentro de unos minutos. Si vuelve a ocurrir, póngase en contacto con soporte e indique este código: ${CODE}`,
    it: `Al momento non possiamo completare la sua registrazione. Riprovi tra qualche minuto. Se succede di nuovo, contatti l’assistenza e comunichi questo codice: ${CODE}`,
    nl: `We kunnen uw registratie op dit moment niet voltooien. Probeer het over een paar minuten opnieuw. Gebeurt het weer, neem dan contact op met support en geef deze code door: ${CODE}`,
  }),
  /** For a `block` rule without a message. */
  blocked: texts({
    en: `You cannot sign up here. If you think that this is a mistake, contact support and give them this code: ${CODE}`,
    de: `Sie können sich hier nicht registrieren. Wenn Sie das für einen Irrtum halten, wenden Sie sich an den Support und nennen Sie diesen Code: ${CODE}`,
    fr: `Vous ne pouvez pas vous inscrire ici. Si vous pensez qu’il s’agit d’une erreur, contactez le support et indiquez ce code : ${CODE}`,
    es: `No puede registrarse aquí. Si cree que se trata de un error, póngase en contacto con soporte e indique este código: ${CODE}`,
    it: `Non può registrarsi qui. Se ritiene che si tratti di un errore, contatti l’assistenza e comunichi questo codice: ${CODE}`,
    nl: `U kunt zich hier niet registreren. Denkt u dat dit een vergissing is, neem dan contact op met support en geef deze code door: ${CODE}`,
  }),
  /** For a `block` rule of an exchange without a message. The person may sign up, sign in or edit a profile. */
  'exchange-blocked': texts({
    en: `You cannot continue here. If you think that this is a mistake, contact support and give them this code: ${CODE}`,
    de: `Sie können hier nicht fortfahren. Wenn Sie das für einen Irrtum halten, wenden Sie sich an den Support und nennen Sie diesen Code: ${CODE}`,
    fr: `Vous ne pouvez pas continuer ici. Si vous pensez qu’il s’agit d’une erreur, contactez le support et indiquez ce code : ${CODE}`,
    es: `No puede continuar aquí. Si cree que se trata de un error, póngase en contacto con soporte e indique este código: ${CODE}`,
    it: `Non può continuare qui. Se ritiene che si tratti di un errore, contatti l’assistenza e comunichi questo codice: ${CODE}`,
    nl: `U kunt hier niet verdergaan. Denkt u dat dit een vergissing is, neem dan contact op met support en geef deze code door: ${CODE}`,
  }),
  /** An exchange is unknown, cannot read its call, or depends on something that failed. */
  'exchange-unavailable': texts({
    en: `We cannot continue at the moment. Please try again in a few minutes. If it happens again, contact support and give them this code: ${CODE}`,
    de: `Wir können im Moment nicht fortfahren. Bitte versuchen Sie es in einigen Minuten noch einmal. Wenn es wieder geschieht, wenden Sie sich an den Support und nennen Sie diesen Code: ${CODE}`,
    fr: `Nous ne pouvons pas continuer pour le moment. Veuillez réessayer dans quelques minutes. Si cela se reproduit, contactez le support et indiquez ce code : ${CODE}`,
    es: `No podemos continuar en este momento. Inténtelo de nuevo dentro de unos minutos. Si vuelve a ocurrir, póngase en contacto con soporte e indique este código: ${CODE}`,
    it: `Al momento non possiamo continuare. Riprovi tra qualche minuto. Se succede di nuovo, contatti l’assistenza e comunichi questo codice: ${CODE}`,
    nl: `We kunnen op dit moment niet verdergaan. Probeer het over een paar minuten opnieuw. Gebeurt het weer, neem dan contact op met support en geef deze code door: ${CODE}`,
  }),
  /** For an `invalid` rule without a message. */
  invalid: texts({
    en: `Please check what you entered and try again. If it happens again, contact support and give them this code: ${CODE}`,
    de: `Bitte prüfen Sie Ihre Angaben und versuchen Sie es noch einmal. Wenn es wieder geschieht, wenden Sie sich an den Support und nennen Sie diesen Code: ${CODE}`,
    fr: `Veuillez vérifier votre saisie et réessayer. Si cela se reproduit, contactez le support et indiquez ce code : ${CODE}`,
    es: `Compruebe los datos introducidos e inténtelo de nuevo. Si vuelve a ocurrir, póngase en contacto con soporte e indique este código: ${CODE}`,
    it: `Controlli i dati inseriti e riprovi. Se succede di nuovo, contatti l’assistenza e comunichi questo codice: ${CODE}`,
    nl: `Controleer wat u hebt ingevuld en probeer het opnieuw. Gebeurt het weer, neem dan contact op met support en geef deze code door: ${CODE}`,
  }),
  /** The call is for an application that the policy does not list. */
  'unknown-application': texts({
    en: `You cannot sign up for this application here. If you think that this is a mistake, contact support and give them this code: ${CODE}`,
    de: `Für diese Anwendung können Sie sich hier nicht registrieren. Wenn Sie das für einen Irrtum halten, wenden Sie sich an den Support und nennen Sie diesen Code: ${CODE}`,
    fr: `Vous ne pouvez pas vous inscrire ici à cette application. Si vous pensez qu’il s’agit d’une erreur, contactez le support et indiquez ce code : ${CODE}`,
    es: `No puede registrarse aquí en esta aplicación. Si cree que se trata de un error, póngase en contacto con soporte e indique este código: ${CODE}`,
    it: `Non può registrarsi qui a questa applicazione. Se ritiene che si tratti di un errore, contatti l’assistenza e comunichi questo codice: ${CODE}`,
    nl: `U kunt zich hier niet voor deze toepassing registreren. Denkt u dat dit een vergissing is, neem dan contact op met support en geef deze code door: ${CODE}`,
  }),
} as const;

export type BuiltInKey = keyof typeof BUILT_IN_TEXTS;
