CREATE TABLE "accounts" (
	"id" uuid PRIMARY KEY NOT NULL,
	"key" text NOT NULL,
	"issuer" text NOT NULL,
	"sign_in_type" text DEFAULT '' NOT NULL,
	"sign_in_type_from" uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
	"oid_key" text DEFAULT '' NOT NULL,
	"oid_from" uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
	"email" text DEFAULT '' NOT NULL,
	"email_key" text DEFAULT '' NOT NULL,
	"email_from" uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
	"first_seen" timestamp (3) with time zone NOT NULL,
	"last_seen" timestamp (3) with time zone NOT NULL,
	"first_sign_in" timestamp (3) with time zone,
	"last_sign_in" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "user_days" (
	"user_id" uuid NOT NULL,
	"day" date NOT NULL,
	"outcome" text NOT NULL,
	"attempts" integer NOT NULL,
	CONSTRAINT "user_days_pk" PRIMARY KEY("user_id","day","outcome")
);
--> statement-breakpoint
CREATE TABLE "users" (
	"id" uuid PRIMARY KEY NOT NULL,
	"oid_key" text NOT NULL,
	"first_seen" timestamp (3) with time zone NOT NULL,
	"last_seen" timestamp (3) with time zone NOT NULL,
	"email" text DEFAULT '' NOT NULL,
	"email_key" text DEFAULT '' NOT NULL,
	"email_from" uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
	"name" text DEFAULT '' NOT NULL,
	"name_words" "tsvector" DEFAULT '' NOT NULL,
	"name_from" uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
	"sign_in_from" uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
	"last_sign_in" timestamp (3) with time zone,
	"client_id" text DEFAULT '' NOT NULL,
	"roles" text[] DEFAULT '{}' NOT NULL
);
--> statement-breakpoint
CREATE INDEX "accounts_oid_key" ON "accounts" USING btree ("oid_key") WHERE oid_key <> '';--> statement-breakpoint
CREATE INDEX "accounts_email_key" ON "accounts" USING btree ("email_key") WHERE email_key <> '';--> statement-breakpoint
CREATE INDEX "user_days_day" ON "user_days" USING btree ("day");--> statement-breakpoint
CREATE INDEX "users_last_seen" ON "users" USING btree ("last_seen","id");--> statement-breakpoint
CREATE INDEX "users_email_key" ON "users" USING btree ("email_key") WHERE email_key <> '';--> statement-breakpoint
CREATE INDEX "users_name_words" ON "users" USING gin ("name_words") WHERE name <> '';