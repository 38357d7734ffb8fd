/**
 * The words of a claim's name that mark its value as a secret or a number of an official document or a card. A claim
 * with such a name is stored nowhere. `secret-names.ts` matches them. Lower case; accents and umlauts do not matter.
 * Phrases have no spaces: `motdepasse`.
 */

const listed = (words: string): readonly string[] => words.trim().split(/\s+/);

/** Long enough to be in no innocent word, so that compounds and inflections match: `einmalpasswort`, `contrasenas`. */
export const SECRET_STEMS = listed(`
  password passwd passwort kennwort passphrase passcode captcha querystring keystroke biometri typingpattern typingdna
  motdepasse contrasen palavrapasse palavrachave paroladordine parolachiave wachtwoord losenord passord adgangskode
  kodeord salasana jelszo lozinka slaptazod katasandi katalaluan geheimzahl tippmuster tippverhalten anschlagmuster
  creditcard kreditkart kredietkaart kredytow tarjetadecredito tarjetacredito cartadicredito cartacredito
  cartedecredit cartebancaire cartaodecredito cartaocredito sozialversicherung socialsecurity securitesociale
  seguridadsocial segurancasocial codicefiscale burgerservicenum personnummer fodselsnummer henkilotunnus
  steueridentifikation passport passeport pasaporte passaport paspoort paszport reisepass personalausweis aadhaar
`);

/** Stems in other scripts, of which some have no spaces between words. */
export const FOREIGN_STEMS = listed(`
  пароль 密码 密碼 パスワード 暗証番号 비밀번호 סיסמ συνθηματικ كلمةالمرور पासवर्ड รหัสผ่าน
`);

/** Whole words and phrases. A plural in -s matches, too. */
export const SECRET_WORDS = listed(`
  pass pw pwd pswd psw mdp motpasse clave senha haslo hasla heslo hesla geslo parola parol parool sifre matkhau
  pin mpin upin tpin ipin epin tan mtan itan etan puk otp totp hotp mfa 2fa tfa u2f twofactor secondfactor multifactor
  secret secrete geheim geheime geheimnis geheimwort secreto secreta segreto segreta segredo tajny tajne hemlig
  confidentiel credential cred zugangsdaten anmeldedaten logindaten inloggegevens
  token jwt bearer authorization authorisation assertion cookie csrf xsrf sessionid jsessionid phpsessid
  connectionstring securitynumber secretnumber accessnumber sicherheitsnummer zugangsnummer
  privatekey privkey secretkey passkey yubikey productkey licensekey licencekey accountkey storagekey clientkey
  seedphrase walletseed mnemonic authenticator devicecode codeword kodord codeverifier einmalcode engangskod engangskode
  answer antwort antwoord reponse respuesta risposta resposta odpowiedz securityquestion secretquestion
  securityans transaktionsnummer losungswort palabradepaso frasedepaso cryptogramme
  sicherheitsfrage beveiligingsvraag maidenname madchenname geburtsname
  iban cvv cvc cvn csc cardnumber cardnum cardno ccnumber ccnum numerocb ccn debitcard bankcard bankaccount
  bankverbindung kontonummer kartennummer kartenprufnummer prufziffer numerodecarte numerocarte numerotarjeta
  numerocarta numerocartao kaartnummer betaalkaart rekeningnummer numerkarty numerkonta comptebancaire cuentabancaria
  contobancario contabancaria routingnumber numerocontribuinte numerdowodu dowodosobisty
  ssn numeross socialinsurance nationalinsurance nino nationalid nationalnumber identitycard idcard taxid
  taxidentification taxidentifier taxnumber taxpayer taxcode taxfile tfn tin itin steuernummer steuerid steuernr idnr
  svnr svnummer ahv ahvnummer
  rentenversicherungsnummer numerofiscal identifiantfiscal identificacionfiscal nif nie dni curp cpf cnpj bsn
  sofinummer rijksregisternummer insz niss pesel nip cpr cprnummer hetu rodnecislo passnummer ausweis ausweisnummer
  cartedidentite carteidentite cartadidentita cartaidentita documentodeidentidad driverslicense driverlicense
  driverslicence driverlicence drivinglicense drivinglicence fuhrerschein fuhrerscheinnummer permisdeconduire rijbewijs
  fingerprint faceprint voiceprint faceid touchid frappe
`);

/** Secret only as the whole name of a claim. Within a longer one they are harmless: `postalCode`. */
export const SECRET_ALONE = listed('code codigo codice kod kode key sin pan cif rfc');

/** Harmless, unless one of {@link SECRET_PURPOSES} is beside it: `inviteCode`, `code d’accès`. */
export const CODE_WORDS = listed(`
  code kode kod codigo codice key schlussel sleutel cle clef clave chave chiave llave klucz nyckel nokkel nogle
  phrase
`);

/** What makes one of {@link CODE_WORDS} a secret. */
export const SECRET_PURPOSES = listed(`
  invite invited invitation activate activation access auth authentication verify verification validation confirm
  confirmation security secure recover recovery restore backup reset unlock unblock login logon signin signup onetime
  once temporary temp registration enrollment enrolment join reg voucher gift giftcard coupon redeem redemption
  prepaid sms email api encryption decryption signing master shared session pairing magic subscription function
  functions sas webhook ssh pgp gpg wallet seed admin root emergency entry door alarm safe vault challenge proof
  unsolouso solouso einladung einladungs aktivierung aktivierungs freischalt freischaltungs zugang zugangs zugriff
  zugriffs freigabe bestatigung
  bestatigungs verifizierung verifizierungs verifikation verifikations sicherheit sicherheits einmal
  wiederherstellung wiederherstellungs entsperr anmelde registrierung registrierungs gutschein geschenk
  acces securite recuperation unique usageunique monouso usounico
  acceso activacion verificacion confirmacion seguridad recuperacion invitacion
  accesso attivazione verifica conferma sicurezza recupero invito
  acesso ativacao verificacao confirmacao seguranca recuperacao convite
  toegang toegangs activatie activerings verificatie bevestigings beveiligings veiligheids herstel uitnodiging
  uitnodigings eenmalig eenmalige zaproszenia zaproszenie aktywacyjny aktywacji dostepu dostepowy weryfikacyjny
  weryfikacji potwierdzenia bezpieczenstwa jednorazowy odzyskiwania
  sakerhets sikkerheds sikkerhets verifierings verifiserings bekraftelse bekreftelse inbjudnings tilgangs
`);

/** Between a code word and its purpose these do not count. */
export const FILLERS = listed('of for the de del della di da do dos des d l la le les el il van der das die o a no nr');

/** Words beside a secret in one written together: `newpassword`, `userpin`. */
export const COMPANIONS = listed(`
  new old my user current previous confirm repeat retype reenter again login mobile sms push photo chip atm card bank
  account client admin value field text data hash plain raw input entered typed number num no nr id code kode kod word
  customer member person personal email phone device app web site wifi door home work first last second hint neu neue
  neues alt alte altes nummer numero kunden benutzer feld wert eingabe frage konto karte
  wiederholung mobil
`);
