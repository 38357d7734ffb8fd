/** Built-in advice, where a rule has none: what support tells the person, in the languages of built-in messages. */

export const ADVICE_LANGUAGES = ['en', 'de', 'fr', 'es', 'it', 'nl'] as const;

const texts = (byLanguage: { readonly [language in (typeof ADVICE_LANGUAGES)[number]]: string }) =>
  new Map<string, string>(Object.entries(byLanguage));

/** By what happened. */
export const ADVICE_TEXTS = {
  'let-in': texts({
    en: 'The person was let in. If the application still refuses them, ask them to sign out, wait a minute and sign in again. After that, ask the support of the application.',
    de: 'Die Person wurde eingelassen. Wenn die Anwendung sie trotzdem abweist, bitten Sie sie, sich abzumelden, eine Minute zu warten und sich neu anzumelden. Danach hilft der Support der Anwendung.',
    fr: 'La personne a été admise. Si l’application la refuse quand même, demandez-lui de se déconnecter, d’attendre une minute et de se reconnecter. Ensuite, adressez-vous au support de l’application.',
    es: 'La persona pudo entrar. Si la aplicación la rechaza de todos modos, pídale que cierre la sesión, espere un minuto y vuelva a iniciarla. Después, consulte al soporte de la aplicación.',
    it: 'La persona è stata ammessa. Se l’applicazione la rifiuta comunque, le chieda di uscire, attendere un minuto e accedere di nuovo. Poi si rivolga all’assistenza dell’applicazione.',
    nl: 'De persoon is toegelaten. Weigert de toepassing toch, vraag dan om uit te loggen, een minuut te wachten en opnieuw in te loggen. Vraag daarna de support van de toepassing.',
  }),
  /** Let in, while a part behind Gatehouse did not work. */
  'roles-missing': texts({
    en: 'The person was let in, but roles may be missing or outdated because of a fault on our side. Ask them to sign out and in again in a few minutes. If roles are still missing, tell the administrators of Gatehouse.',
    de: 'Die Person wurde eingelassen, aber wegen eines Fehlers bei uns können Rollen fehlen oder veraltet sein. Bitten Sie sie, sich in einigen Minuten ab- und wieder anzumelden. Fehlen sie dann noch, sagen Sie es den Administratoren von Gatehouse.',
    fr: 'La personne a été admise, mais des rôles peuvent manquer ou être périmés à cause d’une panne de notre côté. Demandez-lui de se déconnecter puis de se reconnecter dans quelques minutes. S’ils manquent encore, prévenez les administrateurs de Gatehouse.',
    es: 'La persona pudo entrar, pero por un fallo nuestro pueden faltar roles o estar desactualizados. Pídale que cierre la sesión y vuelva a iniciarla dentro de unos minutos. Si siguen faltando, avise a los administradores de Gatehouse.',
    it: 'La persona è stata ammessa, ma per un guasto da parte nostra alcuni ruoli possono mancare o non essere aggiornati. Le chieda di uscire e accedere di nuovo tra qualche minuto. Se mancano ancora, avvisi gli amministratori di Gatehouse.',
    nl: 'De persoon is toegelaten, maar door een storing bij ons kunnen rollen ontbreken of verouderd zijn. Vraag om over een paar minuten uit en weer in te loggen. Ontbreken ze dan nog, meld het aan de beheerders van Gatehouse.',
  }),
  blocked: texts({
    en: 'A rule does not let this person in, and trying again does not change that. Explain the message that they read. If they think that it is a mistake, pass their support code on to the owners of the policy.',
    de: 'Eine Regel lässt diese Person nicht ein, und ein neuer Versuch ändert das nicht. Erklären Sie die Meldung, die sie gelesen hat. Hält sie das für einen Irrtum, geben Sie ihren Support-Code an die Verantwortlichen der Regeln weiter.',
    fr: 'Une règle n’admet pas cette personne, et un nouvel essai n’y change rien. Expliquez le message qu’elle a lu. Si elle pense qu’il s’agit d’une erreur, transmettez son code de support aux responsables des règles.',
    es: 'Una regla no admite a esta persona, y volver a intentarlo no lo cambia. Explique el mensaje que leyó. Si cree que se trata de un error, pase su código de soporte a los responsables de las reglas.',
    it: 'Una regola non ammette questa persona, e un nuovo tentativo non cambia nulla. Spieghi il messaggio che ha letto. Se ritiene che si tratti di un errore, inoltri il suo codice di assistenza ai responsabili delle regole.',
    nl: 'Een regel laat deze persoon niet toe, en opnieuw proberen verandert dat niet. Leg de melding uit die de persoon heeft gelezen. Denkt de persoon dat het een vergissing is, geef dan de supportcode door aan de beheerders van de regels.',
  }),
  'unknown-application': texts({
    en: 'The policy does not list this application, so the person can do nothing about it. Ask which page they opened, and give the client id of the attempt to the administrators.',
    de: 'Diese Anwendung steht nicht in der Liste der erlaubten, deshalb kann die Person nichts tun. Fragen Sie, welche Seite sie geöffnet hat, und geben Sie die Client-ID des Versuchs an die Administratoren weiter.',
    fr: 'Cette application n’est pas dans la liste autorisée, la personne n’y peut donc rien. Demandez quelle page elle a ouverte, et donnez l’identifiant client de la tentative aux administrateurs.',
    es: 'Esta aplicación no está en la lista permitida, así que la persona no puede hacer nada. Pregunte qué página abrió y pase el identificador de cliente del intento a los administradores.',
    it: 'Questa applicazione non è nell’elenco di quelle consentite, quindi la persona non può fare nulla. Chieda quale pagina ha aperto e comunichi l’ID client del tentativo agli amministratori.',
    nl: 'Deze toepassing staat niet op de lijst, dus de persoon kan er niets aan doen. Vraag welke pagina is geopend, en geef de client-id van de poging door aan de beheerders.',
  }),
  /** A rule that could not be evaluated refused. */
  'rule-failed': texts({
    en: 'A rule could not be evaluated, because something was missing in the call. Ask whether another provider or address works, and pass the support code on to the owners of the policy.',
    de: 'Eine Regel konnte nicht ausgewertet werden, weil im Aufruf etwas fehlte. Fragen Sie, ob es mit einem anderen Anbieter oder einer anderen Adresse geht, und geben Sie den Support-Code an die Verantwortlichen der Regeln weiter.',
    fr: 'Une règle n’a pas pu être évaluée, car il manquait quelque chose dans l’appel. Demandez si un autre fournisseur ou une autre adresse fonctionne, et transmettez le code de support aux responsables des règles.',
    es: 'No se pudo evaluar una regla porque faltaba algo en la llamada. Pregunte si funciona con otro proveedor u otra dirección, y pase el código de soporte a los responsables de las reglas.',
    it: 'Non è stato possibile valutare una regola, perché nella chiamata mancava qualcosa. Chieda se funziona con un altro provider o un altro indirizzo, e inoltri il codice di assistenza ai responsabili delle regole.',
    nl: 'Een regel kon niet worden beoordeeld, omdat er iets ontbrak in de aanroep. Vraag of het met een andere aanbieder of een ander adres lukt, en geef de supportcode door aan de beheerders van de regels.',
  }),
  'correct-input': texts({
    en: 'The person can correct what they entered and go on. Explain the message that they read, and ask them to try again.',
    de: 'Die Person kann ihre Angaben berichtigen und weitermachen. Erklären Sie die Meldung, die sie gelesen hat, und bitten Sie sie, es noch einmal zu versuchen.',
    fr: 'La personne peut corriger sa saisie et continuer. Expliquez le message qu’elle a lu, et demandez-lui de réessayer.',
    es: 'La persona puede corregir los datos y continuar. Explique el mensaje que leyó y pídale que lo intente de nuevo.',
    it: 'La persona può correggere i dati inseriti e proseguire. Spieghi il messaggio che ha letto e le chieda di riprovare.',
    nl: 'De persoon kan de gegevens verbeteren en verdergaan. Leg de melding uit die de persoon heeft gelezen, en vraag om het opnieuw te proberen.',
  }),
  'failed-here': texts({
    en: 'The fault is on our side, not theirs. Ask them to try again in a few minutes. If it happens again, pass the support code on to the developers.',
    de: 'Der Fehler liegt bei uns, nicht bei der Person. Bitten Sie sie, es in einigen Minuten noch einmal zu versuchen. Wenn es wieder geschieht, geben Sie den Support-Code an die Entwickler weiter.',
    fr: 'La panne est de notre côté, pas du sien. Demandez à la personne de réessayer dans quelques minutes. Si cela se reproduit, transmettez le code de support aux développeurs.',
    es: 'El fallo es nuestro, no de la persona. Pídale que lo intente de nuevo dentro de unos minutos. Si vuelve a ocurrir, pase el código de soporte a los desarrolladores.',
    it: 'Il guasto è da parte nostra, non della persona. Le chieda di riprovare tra qualche minuto. Se succede di nuovo, inoltri il codice di assistenza agli sviluppatori.',
    nl: 'De fout ligt bij ons, niet bij de persoon. Vraag om het over een paar minuten opnieuw te proberen. Gebeurt het weer, geef dan de supportcode door aan de ontwikkelaars.',
  }),
  'failed-setup': texts({
    en: 'The connection between Microsoft and Gatehouse is not set up correctly, so trying again does not help. Pass the explanation of the attempt and its support code on to the administrators.',
    de: 'Die Verbindung zwischen Microsoft und Gatehouse ist nicht richtig eingerichtet, deshalb hilft ein neuer Versuch nicht. Geben Sie die Erklärung des Versuchs und den Support-Code an die Administratoren weiter.',
    fr: 'La connexion entre Microsoft et Gatehouse n’est pas bien configurée, un nouvel essai ne sert donc à rien. Transmettez l’explication de la tentative et son code de support aux administrateurs.',
    es: 'La conexión entre Microsoft y Gatehouse no está bien configurada, así que no sirve volver a intentarlo. Pase la explicación del intento y su código de soporte a los administradores.',
    it: 'Il collegamento tra Microsoft e Gatehouse non è configurato correttamente, quindi riprovare non serve. Inoltri la spiegazione del tentativo e il codice di assistenza agli amministratori.',
    nl: 'De verbinding tussen Microsoft en Gatehouse is niet goed ingesteld, dus opnieuw proberen helpt niet. Geef de uitleg van de poging en de supportcode door aan de beheerders.',
  }),
  'failed-on-the-way': texts({
    en: 'The call did not arrive as Microsoft sends it. Ask the person to try again. If it happens again, pass the support code on to the administrators.',
    de: 'Der Aufruf kam nicht so an, wie Microsoft ihn sendet. Bitten Sie die Person, es noch einmal zu versuchen. Wenn es wieder geschieht, geben Sie den Support-Code an die Administratoren weiter.',
    fr: 'L’appel n’est pas arrivé tel que Microsoft l’envoie. Demandez à la personne de réessayer. Si cela se reproduit, transmettez le code de support aux administrateurs.',
    es: 'La llamada no llegó como Microsoft la envía. Pida a la persona que lo intente de nuevo. Si vuelve a ocurrir, pase el código de soporte a los administradores.',
    it: 'La chiamata non è arrivata come Microsoft la invia. Chieda alla persona di riprovare. Se succede di nuovo, inoltri il codice di assistenza agli amministratori.',
    nl: 'De aanroep kwam niet aan zoals Microsoft die verstuurt. Vraag de persoon om het opnieuw te proberen. Gebeurt het weer, geef dan de supportcode door aan de beheerders.',
  }),
  'answer-too-late': texts({
    en: 'Our answer came too late for Microsoft. Ask the person to try again in a few minutes. If it happens again, pass the time of the try on to the developers.',
    de: 'Unsere Antwort kam für Microsoft zu spät. Bitten Sie die Person, es in einigen Minuten noch einmal zu versuchen. Wenn es wieder geschieht, geben Sie die Uhrzeit des Versuchs an die Entwickler weiter.',
    fr: 'Notre réponse est arrivée trop tard pour Microsoft. Demandez à la personne de réessayer dans quelques minutes. Si cela se reproduit, transmettez l’heure de l’essai aux développeurs.',
    es: 'Nuestra respuesta llegó demasiado tarde para Microsoft. Pida a la persona que lo intente de nuevo dentro de unos minutos. Si vuelve a ocurrir, pase la hora del intento a los desarrolladores.',
    it: 'La nostra risposta è arrivata troppo tardi per Microsoft. Chieda alla persona di riprovare tra qualche minuto. Se succede di nuovo, comunichi l’ora del tentativo agli sviluppatori.',
    nl: 'Ons antwoord kwam te laat voor Microsoft. Vraag de persoon om het over een paar minuten opnieuw te proberen. Gebeurt het weer, geef dan het tijdstip van de poging door aan de ontwikkelaars.',
  }),
  /** One call that let the person go on, without the calls around it. */
  'went-on': texts({
    en: 'This call let the person go on. To see what came after it, search for the person by address or objectId.',
    de: 'Dieser Aufruf ließ die Person weitermachen. Was danach kam, zeigt die Suche nach der Person mit Adresse oder objectId.',
    fr: 'Cet appel a laissé la personne continuer. Pour voir la suite, cherchez la personne par adresse ou objectId.',
    es: 'Esta llamada dejó continuar a la persona. Para ver qué pasó después, busque a la persona por dirección u objectId.',
    it: 'Questa chiamata ha lasciato proseguire la persona. Per vedere che cosa è successo dopo, cerchi la persona per indirizzo o objectId.',
    nl: 'Deze aanroep liet de persoon verdergaan. Zoek de persoon op adres of objectId om te zien wat erna kwam.',
  }),
  /** The try may still go on. */
  'in-progress': texts({
    en: 'The person may still be trying. Ask what they see now, and look again in a few minutes.',
    de: 'Die Person ist vielleicht noch dabei. Fragen Sie, was sie jetzt sieht, und sehen Sie in einigen Minuten noch einmal nach.',
    fr: 'La personne est peut-être encore en train d’essayer. Demandez-lui ce qu’elle voit, et vérifiez de nouveau dans quelques minutes.',
    es: 'Quizá la persona lo está intentando todavía. Pregunte qué ve ahora y vuelva a mirar dentro de unos minutos.',
    it: 'Forse la persona sta ancora provando. Chieda che cosa vede ora e ricontrolli tra qualche minuto.',
    nl: 'De persoon is misschien nog bezig. Vraag wat er nu te zien is, en kijk over een paar minuten opnieuw.',
  }),
  /** The provider let the person through, and the attribute page did not follow. */
  'page-unfinished': texts({
    en: 'The person came back from the provider and did not finish the page after it. Ask them to sign up again and to complete every field.',
    de: 'Die Person kam vom Anbieter zurück und hat die Seite danach nicht abgeschlossen. Bitten Sie sie, sich noch einmal zu registrieren und alle Felder auszufüllen.',
    fr: 'La personne est revenue du fournisseur et n’a pas terminé la page suivante. Demandez-lui de s’inscrire de nouveau et de remplir tous les champs.',
    es: 'La persona volvió del proveedor y no terminó la página siguiente. Pídale que se registre de nuevo y complete todos los campos.',
    it: 'La persona è tornata dal provider e non ha completato la pagina successiva. Le chieda di registrarsi di nuovo e di compilare tutti i campi.',
    nl: 'De persoon kwam terug van de aanbieder en heeft de pagina daarna niet afgemaakt. Vraag om opnieuw te registreren en alle velden in te vullen.',
  }),
  /** The account may be created, and the token step did not follow. */
  'account-unfinished': texts({
    en: 'The sign-up was allowed here, and no sign-in followed. Ask the person to sign in. If there is no account, ask them to sign up again, and for the AADB2C number of any error.',
    de: 'Die Registrierung wurde hier erlaubt, und es folgte keine Anmeldung. Bitten Sie die Person, sich anzumelden. Gibt es kein Konto, soll sie sich noch einmal registrieren und die AADB2C-Nummer einer Fehlermeldung nennen.',
    fr: 'L’inscription a été autorisée ici, et aucune connexion n’a suivi. Demandez à la personne de se connecter. Si le compte n’existe pas, demandez-lui de s’inscrire de nouveau et de relever le numéro AADB2C de l’erreur.',
    es: 'Aquí se permitió el registro y no siguió ningún inicio de sesión. Pida a la persona que inicie sesión. Si no hay cuenta, pídale que se registre de nuevo y anote el número AADB2C del error.',
    it: 'Qui la registrazione è stata consentita, e non è seguito alcun accesso. Chieda alla persona di accedere. Se l’account non esiste, le chieda di registrarsi di nuovo e di annotare il numero AADB2C dell’errore.',
    nl: 'De registratie is hier toegestaan, en er volgde geen aanmelding. Vraag de persoon om in te loggen. Is er geen account, vraag dan om opnieuw te registreren en het AADB2C-nummer van de fout te noteren.',
  }),
  'sign-in-abandoned': texts({
    en: 'The password was wrong, or the page was closed. Gatehouse refused nothing. Ask the person to try again, or to reset the password.',
    de: 'Das Kennwort war falsch, oder die Seite wurde geschlossen. Gatehouse hat nichts abgelehnt. Bitten Sie die Person, es noch einmal zu versuchen oder das Kennwort zurückzusetzen.',
    fr: 'Le mot de passe était faux, ou la page a été fermée. Gatehouse n’a rien refusé. Demandez à la personne de réessayer ou de réinitialiser le mot de passe.',
    es: 'La contraseña era incorrecta o se cerró la página. Gatehouse no rechazó nada. Pida a la persona que lo intente de nuevo o que restablezca la contraseña.',
    it: 'La password era errata, oppure la pagina è stata chiusa. Gatehouse non ha rifiutato nulla. Chieda alla persona di riprovare o di reimpostare la password.',
    nl: 'Het wachtwoord was onjuist, of de pagina is gesloten. Gatehouse heeft niets geweigerd. Vraag de persoon om het opnieuw te proberen of het wachtwoord te herstellen.',
  }),
  /** All that was seen was allowed. */
  'not-seen': texts({
    en: 'Everything that reached Gatehouse was allowed, and what came after is not visible here. Ask what the person sees now, and for the AADB2C number of any error.',
    de: 'Alles, was Gatehouse erreichte, wurde erlaubt, und was danach kam, ist hier nicht zu sehen. Fragen Sie, was die Person jetzt sieht, und nach der AADB2C-Nummer einer Fehlermeldung.',
    fr: 'Tout ce qui est arrivé à Gatehouse a été autorisé, et la suite n’est pas visible ici. Demandez ce que la personne voit maintenant, et le numéro AADB2C de l’erreur s’il y en a une.',
    es: 'Todo lo que llegó a Gatehouse se permitió, y lo que siguió no se ve aquí. Pregunte qué ve la persona ahora y el número AADB2C del error, si lo hay.',
    it: 'Tutto ciò che è arrivato a Gatehouse è stato consentito, e il seguito non è visibile qui. Chieda che cosa vede ora la persona e l’eventuale numero AADB2C dell’errore.',
    nl: 'Alles wat Gatehouse bereikte is toegestaan, en wat erna kwam is hier niet te zien. Vraag wat de persoon nu ziet, en naar het AADB2C-nummer van een eventuele fout.',
  }),
} as const;

export type AdviceKey = keyof typeof ADVICE_TEXTS;
