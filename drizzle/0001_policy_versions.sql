CREATE TABLE "policy_versions" (
	"number" integer PRIMARY KEY NOT NULL,
	"use" text NOT NULL,
	"sample" double precision,
	"document" json,
	"rules" integer DEFAULT 0 NOT NULL,
	"lists" integer DEFAULT 0 NOT NULL,
	"messages" integer DEFAULT 0 NOT NULL,
	"author" text NOT NULL,
	"note" text DEFAULT '' NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "policy_versions_use" CHECK ("policy_versions"."use" in ('active', 'shadow', 'no-shadow')),
	CONSTRAINT "policy_versions_document" CHECK (("policy_versions"."document" is null) = ("policy_versions"."use" = 'no-shadow')),
	CONSTRAINT "policy_versions_sample" CHECK (("policy_versions"."sample" is null) = ("policy_versions"."use" <> 'shadow'))
);
--> statement-breakpoint
ALTER TABLE "attempts" ADD COLUMN "message_language" text DEFAULT '' NOT NULL;