/** Which values of claims an attempt may store. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isNeverStored, isStorable, retainedClaims } from '../../../src/attempts/redaction.ts';
import { containsToken } from '../../../src/attempts/token-shape.ts';
import { readConfig } from '../../../src/platform/config.ts';

const settingsWith = (KEEP_CLAIMS: readonly string[], NEVER_STORE: readonly string[] = []) => ({
  KEEP_CLAIMS,
  NEVER_STORE,
});
const DEFAULT = settingsWith([]);

const listed = (names: string) => names.trim().split(/\s+/);

/** Names of secrets, and the language that they are in. */
const SECRETS: { readonly [language: string]: readonly string[] } = {
  English: listed(`Password newPassword newpassword PasswordHint PASSWORD user_password Passphrase Pass PWD passcode
    Pin PIN pins Mpin userpin PinCode iPin SmsPin Secret client_secret clientsecret ApiKey APIKey api_key api-key apikey
    RecoveryKey recoverykey BackupCodes PrivateKey SecurityKey SeedPhrase InviteCode invitecode InvitationCode
    CodeInvitation ActivationCode AuthCode SecurityCode securitycode VerificationCode OneTimeCode one-time-code
    ONE_TIME_CODE onetimepassword OTP OTPcode otp_code TOTP MFA mfaCode 2FA 2faCode Answer SecurityAnswer answer2
    SecurityQuestion MothersMaidenName CreditCard credit_card_number CardNumber CVV CVV2 cvc Iban SSN ssn4
    SocialSecurityNumber TaxId tax_id taxid Passport PassportNumber passportno DriversLicense Credential Credentials
    cardnum giftCardCode EmailCode privKey RegCode
    AccessToken id_token idtoken Jwt Bearer Authorization query_string captchaUserResponseToken TypingPattern
    typing.pattern KeystrokeData Biometrics SessionId Cookie ConnectionString VoucherCode GiftCode Code code key
    extension_b40d0a4d5a0e4a1f8f4e1a2b3c4d5e6f_Pin x-functions-key aeg-sas-key PUK TAN mTAN smsTan`),
  German: listed(`Passwort passwort NeuesPasswort Einmalpasswort Passwortwiederholung Kennwort Kennwörter Geheimzahl
    Geheimnis Geheimfrage Geheimcode Einladungscode einladungscode Aktivierungscode Bestätigungscode Bestaetigungscode
    Sicherheitscode Sicherheitsantwort Sicherheitsfrage Zugangscode Zugangsdaten Freischaltcode Einmalcode
    Kreditkartennummer Kartenprüfnummer Steuernummer SteuerId SteueridentifikationsNummer Sozialversicherungsnummer
    Reisepass Passnummer Ausweisnummer Fuehrerscheinnummer Schluessel_Api Pinnummer Antwort
    Freigabecode Transaktionsnummer Geburtsname`),
  French: listed(`MotDePasse motdepasse mot_de_passe Mot_de_passe_2 MDP CodeSecret CodeDAcces code_d’accès CodeAcces
    CodeDeVerification CleApi ClefDeSecurite ReponseSecrete QuestionSecrete CarteBancaire NumeroDeCarte
    NumeroDeSecuriteSociale Passeport CodeUsageUnique code_à_usage_unique JetonToken CodeInvitation`),
  Spanish: listed(`Contrasena Contraseña contrasenas Clave ClaveDeAcceso CodigoDeVerificacion CódigoAcceso
    CodigoDeUnSoloUso RespuestaSecreta PreguntaSecreta TarjetaDeCredito NumeroDeTarjeta DNI Pasaporte SeguridadSocial`),
  Italian: listed('Parola ParolaDOrdine CodiceDiSicurezza CodiceSegreto CodiceFiscale RispostaSegreta NumeroCarta'),
  Dutch: listed('Wachtwoord wachtwoorden Pincode Toegangscode Beveiligingscode EenmaligeCode BSN Paspoort Antwoord'),
  Portuguese: listed('Senha PalavraPasse Palavra_Chave CodigoDeAcesso RespostaSecreta CartaoDeCredito CPF Passaporte'),
  Polish: listed('Haslo Hasło KodPin KodDostepu KodDostępu KodWeryfikacyjny NumerKarty PESEL NIP Paszport Odpowiedź'),
  others: listed(
    'Lösenord Säkerhetskod Adgangskode Passord Salasana Heslo Jelszó Şifre Пароль 密码 パスワード 비밀번호',
  ),
};

const HARMLESS = listed(`SpinClass Shipping ShoppingBag spinclass shippingaddress displayName givenName surname city
  country state postalCode PostCode zip_code CountryCode LanguageCode CurrencyCode AreaCode DressCode StoreCode Codec
  CodeOfConduct PromoCode LoyaltyNumber LoyaltyId loyaltyId BirthDate Opinion opinion Pinterest PineTree Spinach Topping
  Hotpot Potpourri Laptop Topic Tango Tangible Standard Instance Distance Titan Sultan Compass Passenger Passion Passage
  PassiveIncome bypass Secretary Tokyo tokenization Keyboard Keynote Monkey Turkey Hockey PrimaryKey Cardinal Dashboard
  Discard Postcard LoyaltyCard Cube Tulip Turnip Urban Caliban Turban Credit Credits Sacred TaxiDriver Tanja Kimono
  Cryptocurrency Ansage Answering Stripe Martin Latin Captain Accessories Verified SecurityLevel InvitedBy DoorNumber
  RegistrationNumber EmergencyPhone jobTitle streetAddress ui_locales email objectId step client_id Ausbildung Kenntnisse
  emailVerified recoveryEmail CodePostal CodicePostale KodPocztowy QrCode productCode Geburtsdatum Passat Clavier Clavecin Motto Contra Paradise Partner Senhor Hassle Kodak Age Plan HasPets NumberOfChildren Newsletter`);

describe('claims that are never stored', () => {
  it.each(Object.entries(SECRETS))('a name with a word for a secret is never stored: %s', (_, names) => {
    const stored = names.filter(
      (name) => !isNeverStored(DEFAULT, name) || !isNeverStored(DEFAULT, `extension_${name}`),
    );
    expect(stored).toEqual([]);
  });

  it('a name that only contains the letters of such a word can be stored', () => {
    expect(HARMLESS.filter((name) => isNeverStored(DEFAULT, name))).toEqual([]);
  });

  it('a secret stays one in every style of writing, and with words before and after it', () => {
    const words = fc.constantFrom(
      ...['pin', 'tan', 'password', 'passwort', 'cvv', 'iban', 'invite code', 'api key', 'mot de passe', 'tax id'],
    );
    const beside = fc.array(fc.constantFrom('user', 'my', 'new', 'primary', 'office', 'value', 'green'), {
      maxLength: 2,
    });
    const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1);
    const styles: readonly ((words: readonly string[]) => string)[] = [
      (all) => all.map(capital).join(''),
      (all) => all.map((word, at) => (at === 0 ? word : capital(word))).join(''),
      ...['_', '-', '.', ' ', '1', '__'].map((between) => (all: readonly string[]) => all.join(between)),
      (all) => all.join('_').toUpperCase(),
    ];
    fc.assert(
      fc.property(words, beside, beside, fc.constantFrom(...styles), (secret, before, after, written) => {
        const name = written([...before, ...secret.split(' '), ...after]);
        expect([name, isNeverStored(DEFAULT, name)]).toEqual([name, true]);
      }),
    );
  });

  it('NEVER_STORE adds words and names, in any style of writing, and removes none', () => {
    const { NEVER_STORE, problems } = readConfig({ NEVER_STORE: 'birth date, extension_LoyaltyNumber\nStraße' });
    expect(problems.join()).not.toContain('NEVER_STORE');
    const settings = settingsWith([], NEVER_STORE);
    for (const name of listed('BirthDate birth_date extension_birthdate DateOfBirthDate loyaltyNumber HomeStrasse pin'))
      expect([name, isNeverStored(settings, name)]).toEqual([name, true]);
    for (const name of listed('Birth date loyaltyId Strassen rebirthdate'))
      expect([name, isNeverStored(settings, name)]).toEqual([name, false]);
    const long = 'the number of the house in which we all live';
    const camel = long.replaceAll(/ (.)/g, (_, letter: string) => letter.toUpperCase());
    expect(isNeverStored(settingsWith([], [camel]), `extension_${long.replaceAll(' ', '_')}_now`)).toBe(true);
  });

  it('a name longer than any of a tenant counts as one of a secret', () => {
    expect(isNeverStored(DEFAULT, 'x'.repeat(257))).toBe(true);
    expect(isNeverStored(DEFAULT, 'x'.repeat(256))).toBe(false);
  });

  it('a NEVER_STORE that cannot be used stores no value at all, and readiness reports it', () => {
    for (const unusable of ['city, ***', ['city'], 1]) {
      const config = readConfig({ KEEP_CLAIMS: 'city', NEVER_STORE: unusable });
      expect(config.unusable.get('NEVER_STORE')).toContain('"*"');
      expect(isStorable(config, 'city', 'Reykjavík')).toBe(false);
    }
    expect(isStorable(readConfig({ KEEP_CLAIMS: 'city' }), 'city', 'Reykjavík')).toBe(true);
  });
});

const base64Url = (text: string) => Buffer.from(text).toString('base64url');
const part = fc.stringMatching(/^[\w-]{0,40}$/);
const spaces = fc.constantFrom('', ' ', '\n', '\t', '\r\n  ');
const header = fc
  .tuple(fc.constantFrom('none', 'HS256', 'RSA-OAEP', ''), fc.dictionary(fc.string(), fc.string()), spaces, spaces)
  .map(([alg, more, before, within]) => base64Url(`${before}{${within}${JSON.stringify({ ...more, alg }).slice(1)}`));
/** Signed, unsigned, detached and encrypted. */
const token = fc.oneof(
  fc.tuple(header, part, part).map((parts) => parts.join('.')),
  fc.tuple(header, part, part, part, part).map((parts) => parts.join('.')),
);

describe('tokens', () => {
  it('a value with a JSON Web Token is not stored, whatever the name of its claim and whatever is around it', () => {
    const around = fc.constantFrom('', ' ', 'Bearer ', 'token=', '"', 'x.y.', 'token_', 'ünï ', '\n');
    fc.assert(
      fc.property(token, around, around, (jwt, before, after) => {
        const value = before + jwt + (/^\w/.test(after) ? ` ${after}` : after);
        const settings = settingsWith(['displayName']);
        expect(isStorable(settings, 'displayName', value)).toBe(false);
        expect(retainedClaims({ displayName: value }, settings)).toEqual({});
      }),
    );
  });

  it('other texts with dots are no tokens', () => {
    const texts = fc.oneof(
      fc.constantFrom('jane@mail.example.com', 'https://example.com/a.b?c=d.e', '1.2.3', 'Dr. Jo-Ann M. van der Berg.'),
      fc.array(part, { maxLength: 6 }).map((parts) => parts.join('.')),
      fc.string().map((text) => `${base64Url(JSON.stringify([text]))}.e30.${base64Url(JSON.stringify({ text }))}`),
    );
    fc.assert(
      fc.property(texts, (text) => {
        expect(containsToken(text)).toBe(false);
      }),
    );
    expect(containsToken(`${base64Url('{"typ":"JWT"}')}.e30.x`)).toBe(false);
  });

  it('a hostile text is searched in linear work', () => {
    for (const text of ['a', '.', 'ey', 'a.', `_${base64Url('{"alg')}`, `x_${base64Url('{ "alg": "')}`])
      expect(containsToken(`${text.repeat(100_000 / text.length)}.`)).toBe(false);
  });
});

describe('claims that are stored', () => {
  it('are only those that KEEP_CLAIMS lists, in any letter case', () => {
    const name = fc.oneof(fc.string({ minLength: 1 }), fc.constantFrom(...HARMLESS, ...Object.values(SECRETS).flat()));
    fc.assert(
      fc.property(name, fc.oneof(fc.string(), fc.double(), fc.boolean()), (claim, value) => {
        expect(isStorable(DEFAULT, claim, value)).toBe(false);
        expect(isStorable(settingsWith(['city']), claim, value)).toBe(claim.toLowerCase() === 'city');
      }),
    );
    expect(isStorable(settingsWith(['extension_Plan']), 'EXTENSION_PLAN', 'gold')).toBe(true);
  });
});
