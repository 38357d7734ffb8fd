/** Where people of the cast come from: what they are called, in which script, and what the clock says there. */

export interface Origin {
  /** BCP 47, as a browser sends it. */
  readonly locale: string;
  /** Free text in B2C (contract 1.4), so that some are names and some are codes. */
  readonly country: string;
  /** Winter time: near enough for the hour at which people are awake. */
  readonly utcOffsetHours: number;
  readonly cities: readonly string[];
  readonly given: readonly string[];
  readonly family: readonly string[];
  /** What stands between the parts of a display name, and whether the family name comes first. */
  readonly nameOrder: 'given family' | 'family given' | 'familygiven';
}

/** An origin and how many of a hundred people or so come from there. */
export const ORIGINS: readonly (readonly [Origin, number])[] = [
  [
    {
      locale: 'en-US',
      country: 'United States',
      utcOffsetHours: -5,
      cities: ['Springfield', 'Portland', 'Austin'],
      given: ['Ada', 'Grace', 'James', 'Maya', 'Tyrone', 'Hannah'],
      family: ['Smith', "O'Neil", 'Johnson', 'de la Cruz', 'Washington'],
      nameOrder: 'given family',
    },
    20,
  ],
  [
    {
      locale: 'en-GB',
      country: 'GB',
      utcOffsetHours: 0,
      cities: ['Leeds', 'Cardiff', 'Stow-on-the-Wold'],
      given: ['Olivia', 'Siân', 'Graham', 'Zoë'],
      family: ['Taylor', 'Fortescue-Smythe', 'Ap Rhys', 'Patel'],
      nameOrder: 'given family',
    },
    12,
  ],
  [
    {
      locale: 'de-DE',
      country: 'Deutschland',
      utcOffsetHours: 1,
      cities: ['Köln', 'Görlitz', 'München'],
      given: ['Jürgen', 'Anna-Lena', 'Käthe', 'Maximilian'],
      family: ['Müller', 'Weiß', 'von der Heide', 'Özdemir'],
      nameOrder: 'given family',
    },
    14,
  ],
  [
    {
      locale: 'fr-FR',
      country: 'France',
      utcOffsetHours: 1,
      cities: ['Orléans', "L'Haÿ-les-Roses", 'Lyon'],
      given: ['Chloé', 'François', 'Aïcha', 'Jean-Luc'],
      family: ['Lefèvre', "d'Alembert", 'Dupont', 'Benoît'],
      nameOrder: 'given family',
    },
    9,
  ],
  [
    {
      locale: 'es-ES',
      country: 'Spain',
      utcOffsetHours: 1,
      cities: ['A Coruña', 'Málaga'],
      given: ['Íñigo', 'María José', 'Begoña'],
      family: ['Muñoz', 'García Márquez', 'Núñez'],
      nameOrder: 'given family',
    },
    7,
  ],
  [
    {
      locale: 'is-IS',
      country: 'Ísland',
      utcOffsetHours: 0,
      cities: ['Reykjavík', 'Ísafjörður'],
      given: ['Þórdís', 'Guðmundur'],
      family: ['Jónsdóttir', 'Sigurðsson'],
      nameOrder: 'given family',
    },
    2,
  ],
  [
    {
      locale: 'pl-PL',
      country: 'Polska',
      utcOffsetHours: 1,
      cities: ['Łódź', 'Kraków'],
      given: ['Małgorzata', 'Łukasz', 'Agnieszka'],
      family: ['Wójcik', 'Brzęczyszczykiewicz', 'Żak'],
      nameOrder: 'given family',
    },
    6,
  ],
  [
    {
      locale: 'uk-UA',
      country: 'Україна',
      utcOffsetHours: 2,
      cities: ['Київ', 'Львів'],
      given: ['Олена', 'Тарас', 'Юлія'],
      family: ['Шевченко', "Лук'яненко", 'Ковальчук'],
      nameOrder: 'given family',
    },
    4,
  ],
  [
    {
      locale: 'el-GR',
      country: 'Ελλάδα',
      utcOffsetHours: 2,
      cities: ['Αθήνα', 'Θεσσαλονίκη'],
      given: ['Ελένη', 'Γιώργος'],
      family: ['Παπαδόπουλος', 'Αντωνίου'],
      nameOrder: 'given family',
    },
    3,
  ],
  [
    {
      locale: 'ar-EG',
      country: 'مصر',
      utcOffsetHours: 2,
      cities: ['القاهرة', 'الإسكندرية'],
      given: ['محمد', 'فاطمة', 'يوسف'],
      family: ['عبد الرحمن', 'المصري', 'حسن'],
      nameOrder: 'given family',
    },
    5,
  ],
  [
    {
      locale: 'he-IL',
      country: 'ישראל',
      utcOffsetHours: 2,
      cities: ['חיפה', 'תל אביב'],
      given: ['נועה', 'איתן'],
      family: ['כהן', 'לוי'],
      nameOrder: 'given family',
    },
    2,
  ],
  [
    {
      locale: 'hi-IN',
      country: 'IN',
      utcOffsetHours: 5.5,
      cities: ['मुंबई', 'पुणे'],
      given: ['प्रिया', 'अर्जुन', 'लक्ष्मी'],
      family: ['शर्मा', 'कुलकर्णी', 'सिंह'],
      nameOrder: 'given family',
    },
    6,
  ],
  [
    {
      locale: 'ja-JP',
      country: '日本',
      utcOffsetHours: 9,
      cities: ['東京', '札幌市'],
      given: ['さくら', '翔太', '恵子'],
      family: ['佐藤', '鈴木', '渡邉'],
      nameOrder: 'family given',
    },
    5,
  ],
  [
    {
      locale: 'zh-CN',
      country: '中国',
      utcOffsetHours: 8,
      cities: ['上海', '成都'],
      given: ['小明', '丽', '𠮷祥'],
      family: ['王', '李', '欧阳'],
      nameOrder: 'familygiven',
    },
    5,
  ],
  [
    {
      locale: 'ko-KR',
      country: '대한민국',
      utcOffsetHours: 9,
      cities: ['서울', '부산'],
      given: ['민준', '서연'],
      family: ['김', '박', '이'],
      nameOrder: 'familygiven',
    },
    3,
  ],
  [
    {
      locale: 'th-TH',
      country: 'ประเทศไทย',
      utcOffsetHours: 7,
      cities: ['กรุงเทพมหานคร', 'เชียงใหม่'],
      given: ['สมชาย', 'มาลี'],
      family: ['ศรีสุข', 'วงศ์สวัสดิ์'],
      nameOrder: 'given family',
    },
    2,
  ],
];

/** The name a page would show, in the order of that language. */
export function displayNameOf({ nameOrder }: Origin, given: string, family: string): string {
  if (nameOrder === 'given family') return `${given} ${family}`;
  return nameOrder === 'family given' ? `${family} ${given}` : `${family}${given}`;
}
