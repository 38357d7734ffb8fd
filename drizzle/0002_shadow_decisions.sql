ALTER TABLE "attempts" ADD COLUMN "shadow_version" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "attempts" ADD COLUMN "shadow_outcome" text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE "attempts" ADD COLUMN "shadow_rule" text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE "attempts" ADD COLUMN "shadow_message_key" text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE "attempts" ADD COLUMN "shadow_differs" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "attempts" ADD COLUMN "shadow_claims" text[] DEFAULT '{}' NOT NULL;--> statement-breakpoint
CREATE INDEX "attempts_shadow" ON "attempts" USING btree ("occurred_at","id","shadow_differs") WHERE shadow_version > 0;