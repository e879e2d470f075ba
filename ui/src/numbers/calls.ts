import { answerOf, api, newKey } from "~/api/client";
import type { components } from "~/api/schema";

type Schemas = components["schemas"];
export type ListName = "opt-outs" | "quarantine";
export type Imported = Schemas["Imported"];

/** One entry as both lists show it. */
export type Entry = {
  phone: string;
  /** The opt-out list; null: there is only one. */
  scope: string | null;
  reason: string;
  source: string;
  isOwnWish: boolean;
  /** When it came onto the list; null: it is not on it, errors are counted only. */
  at: string | null;
  errors: number;
};

export type Found = {
  phone: string;
  region: string | null;
  isErased: boolean;
  entries: Entry[];
};

export type RecentPage = {
  /** Whether the reader may see and change the list; if not, nothing of it is here. */
  mayAdminister: boolean;
  entries: Entry[];
  total: number;
  isEstimate: boolean;
  isCut: boolean;
  next: string | null;
};

/** A number as somebody writes it, with the country of a national one. */
export type Asked = { number: string; region: string | null };
export type Removal = Asked & { scope: string; reason: string; hasConsented: boolean };
export type Addition = Asked & { scope: string; reason: string };
export type FileOf = { csv: string; region: string | null; reason: string; isDryRun: boolean };

function optOut(one: Schemas["OptOutEntry"]): Entry {
  return {
    phone: one.phone_masked,
    scope: one.scope,
    reason: one.reason,
    source: one.source,
    isOwnWish: one.is_own_wish,
    at: one.created_at,
    errors: 0,
  };
}

function quarantined(one: Schemas["QuarantineEntry"]): Entry {
  return {
    phone: one.phone_masked,
    scope: null,
    reason: one.reason,
    source: one.source,
    isOwnWish: false,
    at: one.quarantined_at,
    errors: one.errors,
  };
}

function pageOf(
  page: Schemas["OptOutPage"] | Schemas["QuarantinePage"],
  entries: Entry[],
): RecentPage {
  return {
    mayAdminister: page.may_administer,
    entries,
    total: page.total,
    isEstimate: page.total_is_estimate,
    isCut: page.is_cut,
    next: page.next,
  };
}

export async function readRecent(list: ListName, before: string | null): Promise<RecentPage> {
  const params = { query: { limit: 50, ...(before === null ? {} : { before }) } };
  if (list === "opt-outs") {
    const page = await answerOf(api.GET("/api/v1/opt-outs", { params }));
    return pageOf(page, page.entries.map(optOut));
  }
  const page = await answerOf(api.GET("/api/v1/quarantine", { params }));
  return pageOf(page, page.entries.map(quarantined));
}

export async function search(list: ListName, body: Asked): Promise<Found> {
  if (list === "opt-outs") {
    const found = await answerOf(api.POST("/api/v1/opt-outs/search", { body }));
    return {
      phone: found.phone_masked,
      region: found.region,
      isErased: found.is_erased,
      entries: found.entries.map(optOut),
    };
  }
  const found = await answerOf(api.POST("/api/v1/quarantine/search", { body }));
  return {
    phone: found.phone_masked,
    region: found.region,
    isErased: false,
    entries: found.entry ? [quarantined(found.entry)] : [],
  };
}

/** Header of a write: the same press sent twice does one thing. */
const once = () => ({ "Idempotency-Key": newKey() });

export async function add(list: ListName, { scope, ...body }: Addition): Promise<number> {
  const headers = once();
  const { changed } =
    list === "opt-outs"
      ? await answerOf(api.POST("/api/v1/opt-outs", { headers, body: { ...body, scope } }))
      : await answerOf(api.POST("/api/v1/quarantine", { headers, body }));
  return changed;
}

export async function remove(list: ListName, removal: Removal): Promise<number> {
  const { scope, hasConsented, ...body } = removal;
  const headers = once();
  const { changed } =
    list === "opt-outs"
      ? await answerOf(
          api.POST("/api/v1/opt-outs/remove", {
            headers,
            body: { ...body, scope, every_scope: false, has_consented: hasConsented },
          }),
        )
      : await answerOf(api.POST("/api/v1/quarantine/remove", { headers, body }));
  return changed;
}

export async function importFile(list: ListName, file: FileOf): Promise<Imported> {
  const { isDryRun, ...rest } = file;
  const body = { ...rest, column: "phone", dry_run: isDryRun };
  const headers = once();
  return list === "opt-outs"
    ? answerOf(api.POST("/api/v1/opt-outs/import", { headers, body: { ...body, scope: "" } }))
    : answerOf(api.POST("/api/v1/quarantine/import", { headers, body }));
}

/** Hand the whole list to the browser as a file. */
export async function exportFile(list: ListName): Promise<void> {
  const options = { body: {}, parseAs: "blob" as const };
  const file: unknown =
    list === "opt-outs"
      ? await answerOf(api.POST("/api/v1/opt-outs/export", options))
      : await answerOf(api.POST("/api/v1/quarantine/export", options));
  const address = URL.createObjectURL(file as Blob);
  const link = document.createElement("a");
  link.href = address;
  link.download = `${list}.csv`;
  link.click();
  URL.revokeObjectURL(address);
}
