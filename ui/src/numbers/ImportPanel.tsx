import { Box, Button, Field, HStack, Input, Stack, Text } from "@chakra-ui/react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Trouble } from "~/parts/Trouble";
import { useSay } from "~/words/useSay";
import { type Imported, importFile, type ListName } from "./calls";
import { Panel } from "./Panel";

const LARGEST_BYTES = 20_000_000;

/** Put the numbers of a file on the list, after showing what would change. */
export function ImportPanel({ list }: { list: ListName }) {
  const say = useSay();
  const queries = useQueryClient();
  const [file, setFile] = useState<File | null>(null);
  const [region, setRegion] = useState("");
  const sent = useMutation({
    mutationFn: async (isDryRun: boolean) => {
      const csv = await (file as File).text();
      return importFile(list, { csv, region: region || null, reason: "", isDryRun });
    },
    onSuccess: ({ is_dry_run }) =>
      is_dry_run ? undefined : queries.invalidateQueries({ queryKey: ["numbers", list] }),
  });
  const isTooLarge = file !== null && file.size > LARGEST_BYTES;
  const told = sent.data;
  return (
    <Panel title={say("numbers.import_title")}>
      <Text color="fg.muted">{say(`numbers.${list}_import_text`)}</Text>
      <Field.Root invalid={isTooLarge}>
        <Field.Label>{say("numbers.file")}</Field.Label>
        <Input
          type="file"
          accept=".csv,.txt,text/csv,text/plain"
          css={PICKER}
          onChange={(event) => {
            sent.reset();
            setFile(event.target.files?.[0] ?? null);
          }}
        />
        <Field.ErrorText>{say("numbers.too_large")}</Field.ErrorText>
      </Field.Root>
      <Field.Root>
        <Field.Label>{say("numbers.region")}</Field.Label>
        <Input
          maxLength={2}
          maxW="8rem"
          value={region}
          onChange={(event) => {
            sent.reset();
            setRegion(event.target.value.trim().toUpperCase());
          }}
        />
      </Field.Root>
      <HStack wrap="wrap">
        <Button
          variant="outline"
          loading={sent.isPending && sent.variables}
          disabled={file === null || isTooLarge || sent.isPending}
          onClick={() => sent.mutate(true)}
        >
          {say("numbers.import_try")}
        </Button>
        {told?.is_dry_run && told.problems.length === 0 && (
          <Button
            variant="outline"
            loading={sent.isPending}
            disabled={told.added === 0}
            onClick={() => sent.mutate(false)}
          >
            {say("numbers.import_now", { count: told.added })}
          </Button>
        )}
      </HStack>
      <Box aria-live="polite">
        {sent.isError && (
          <Trouble
            error={sent.error}
            what={say("numbers.import_failed")}
            isWrite={!sent.variables}
          />
        )}
        {told && <Told told={told} />}
      </Box>
    </Panel>
  );
}

/** The browser's own button for files, in the looks of ours. */
const PICKER = {
  py: "1",
  "&::file-selector-button": {
    me: "3",
    px: "3",
    height: "7",
    borderWidth: "1px",
    borderRadius: "sm",
    bg: "transparent",
    color: "inherit",
    cursor: "pointer",
  },
};

function Told({ told }: { told: Imported }) {
  const say = useSay();
  const wrong = told.problems.length + told.more_problems;
  return (
    <Stack gap={2}>
      <Text>
        {say(told.is_dry_run ? "numbers.would_import" : "numbers.imported", {
          rows: told.rows,
          added: told.added,
          already: told.already,
        })}
      </Text>
      {wrong > 0 && (
        <>
          <Text fontWeight="medium" color="fg.error">
            {say("numbers.wrong_lines", { count: wrong })}
          </Text>
          <Box
            as="ul"
            ps={5}
            maxH="12rem"
            overflowY="auto"
            tabIndex={0}
            aria-label={say("numbers.wrong_lines", { count: wrong })}
          >
            {told.problems.map((line) => (
              <li key={line}>{line}</li>
            ))}
          </Box>
        </>
      )}
    </Stack>
  );
}
