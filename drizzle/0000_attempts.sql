CREATE TABLE "attempts" (
	"id" uuid NOT NULL,
	"occurred_at" timestamp (3) with time zone NOT NULL,
	"written_in" "xid8" DEFAULT pg_current_xact_id() NOT NULL,
	"channel" text DEFAULT '' NOT NULL,
	"step" text DEFAULT '' NOT NULL,
	"url_step" text DEFAULT '' NOT NULL,
	"outcome" text DEFAULT '' NOT NULL,
	"reason" text DEFAULT '' NOT NULL,
	"reply" text DEFAULT '' NOT NULL,
	"status" smallint NOT NULL,
	"rule" text DEFAULT '' NOT NULL,
	"message_key" text DEFAULT '' NOT NULL,
	"message" text DEFAULT '' NOT NULL,
	"support_code" text DEFAULT '' NOT NULL,
	"policy_version" integer DEFAULT 0 NOT NULL,
	"client_id" text DEFAULT '' NOT NULL,
	"object_id" text DEFAULT '' NOT NULL,
	"email" text DEFAULT '' NOT NULL,
	"issuer" text DEFAULT '' NOT NULL,
	"issuer_assigned_id" text DEFAULT '' NOT NULL,
	"sign_in_type" text DEFAULT '' NOT NULL,
	"oid_key" text DEFAULT '' NOT NULL,
	"idp_key" text DEFAULT '' NOT NULL,
	"email_key" text DEFAULT '' NOT NULL,
	"other_keys" text[] DEFAULT '{}' NOT NULL,
	"locale" text DEFAULT '' NOT NULL,
	"claim_names" text[] DEFAULT '{}' NOT NULL,
	"unexpected_claims" text[] DEFAULT '{}' NOT NULL,
	"kept_claims" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"roles" text[] DEFAULT '{}' NOT NULL,
	"roles_updated_at" timestamp (3) with time zone,
	"duration_ms" integer NOT NULL,
	"degraded" text DEFAULT '' NOT NULL,
	"notes" text[] DEFAULT '{}' NOT NULL,
	"caller" text DEFAULT '' NOT NULL,
	"cf_ray" text DEFAULT '' NOT NULL,
	"correlation_id" text DEFAULT '' NOT NULL,
	"fingerprint" text DEFAULT '' NOT NULL,
	CONSTRAINT "attempts_pk" PRIMARY KEY("occurred_at","id")
) PARTITION BY RANGE ("occurred_at");
--> statement-breakpoint
CREATE TABLE "changes" (
	"id" uuid PRIMARY KEY NOT NULL,
	"occurred_at" timestamp (3) with time zone NOT NULL,
	"changed_by" text NOT NULL,
	"subject" text NOT NULL,
	"before" jsonb,
	"after" jsonb
);
--> statement-breakpoint
CREATE TABLE "hourly_counts" (
	"hour" timestamp (3) with time zone NOT NULL,
	"channel" text NOT NULL,
	"step" text NOT NULL,
	"outcome" text NOT NULL,
	"rule" text NOT NULL,
	"client_id" text NOT NULL,
	"issuer" text NOT NULL,
	"attempts" bigint NOT NULL,
	CONSTRAINT "hourly_counts_pk" PRIMARY KEY("hour","channel","step","outcome","rule","client_id","issuer")
);
--> statement-breakpoint
CREATE TABLE "hourly_durations" (
	"hour" timestamp (3) with time zone NOT NULL,
	"channel" text NOT NULL,
	"step" text NOT NULL,
	"outcome" text NOT NULL,
	"rule" text NOT NULL,
	"client_id" text NOT NULL,
	"issuer" text NOT NULL,
	"bucket" smallint NOT NULL,
	"attempts" bigint NOT NULL,
	CONSTRAINT "hourly_durations_pk" PRIMARY KEY("hour","channel","step","outcome","rule","client_id","issuer","bucket")
);
--> statement-breakpoint
CREATE TABLE "hourly_people" (
	"hour" timestamp (3) with time zone NOT NULL,
	"client_id" text NOT NULL,
	"object_id" text NOT NULL,
	CONSTRAINT "hourly_people_pk" PRIMARY KEY("hour","client_id","object_id")
);
--> statement-breakpoint
CREATE TABLE "summing_progress" (
	"id" boolean PRIMARY KEY DEFAULT true NOT NULL,
	"summed_before" "xid8" NOT NULL,
	"summed_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "summing_progress_one_row" CHECK ("summing_progress"."id")
);
--> statement-breakpoint
CREATE INDEX "attempts_oid_key" ON "attempts" USING btree ("oid_key","occurred_at","id") WHERE oid_key <> '';--> statement-breakpoint
CREATE INDEX "attempts_idp_key" ON "attempts" USING btree ("idp_key","occurred_at","id") WHERE idp_key <> '';--> statement-breakpoint
CREATE INDEX "attempts_email_key" ON "attempts" USING btree ("email_key","occurred_at","id") WHERE email_key <> '';--> statement-breakpoint
CREATE INDEX "attempts_other_keys" ON "attempts" USING gin ("other_keys") WHERE other_keys <> '{}';--> statement-breakpoint
CREATE INDEX "attempts_support_code" ON "attempts" USING btree ("support_code","occurred_at","id") WHERE support_code <> '';--> statement-breakpoint
CREATE INDEX "attempts_correlation_id" ON "attempts" USING btree ("correlation_id","occurred_at","id") WHERE correlation_id <> '';--> statement-breakpoint
CREATE INDEX "attempts_written_in" ON "attempts" USING btree ("written_in");--> statement-breakpoint
CREATE INDEX "attempts_odd_step" ON "attempts" USING btree ("occurred_at") WHERE url_step <> '' or reason = 'unknown-step';--> statement-breakpoint
CREATE INDEX "changes_occurred_at" ON "changes" USING btree ("occurred_at","id");--> statement-breakpoint
CREATE INDEX "changes_subject" ON "changes" USING btree ("subject","occurred_at","id");--> statement-breakpoint
INSERT INTO "summing_progress" ("id", "summed_before", "summed_at") VALUES (true, '0', now());
