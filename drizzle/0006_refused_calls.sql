CREATE TABLE "refused_calls" (
	"id" uuid PRIMARY KEY NOT NULL,
	"occurred_at" timestamp (3) with time zone NOT NULL,
	"route" text DEFAULT '' NOT NULL,
	"reason" text DEFAULT '' NOT NULL,
	"name" text DEFAULT '' NOT NULL,
	"calls" integer DEFAULT 1 NOT NULL
);
--> statement-breakpoint
CREATE INDEX "refused_calls_occurred_at" ON "refused_calls" USING btree ("occurred_at");