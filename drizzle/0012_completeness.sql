ALTER TABLE "attempts" ADD COLUMN "isolate" uuid;--> statement-breakpoint
ALTER TABLE "attempts" ADD COLUMN "sequence" integer DEFAULT 0 NOT NULL;