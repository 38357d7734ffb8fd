CREATE TABLE "probes" (
	"id" uuid PRIMARY KEY NOT NULL,
	"occurred_at" timestamp (3) with time zone NOT NULL,
	"run" uuid NOT NULL,
	"channel" text DEFAULT '' NOT NULL,
	"step" text DEFAULT '' NOT NULL,
	"outcome" text DEFAULT '' NOT NULL,
	"reason" text DEFAULT '' NOT NULL,
	"reply" text DEFAULT '' NOT NULL,
	"status" smallint NOT NULL,
	"rule" text DEFAULT '' NOT NULL,
	"policy_version" integer DEFAULT 0 NOT NULL,
	"client_id" text DEFAULT '' NOT NULL,
	"duration_ms" integer NOT NULL,
	"degraded" text DEFAULT '' NOT NULL,
	"caller" text DEFAULT '' NOT NULL,
	"caller_kind" text DEFAULT '' NOT NULL
);
--> statement-breakpoint
CREATE INDEX "probes_occurred_at" ON "probes" USING btree ("occurred_at","id");