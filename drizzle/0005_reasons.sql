ALTER TABLE "attempts" ADD COLUMN "sent_claims" text[] DEFAULT '{}' NOT NULL;--> statement-breakpoint
ALTER TABLE "attempts" ADD COLUMN "failed_rules" text[] DEFAULT '{}' NOT NULL;