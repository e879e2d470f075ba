import { Button, Field, HStack, Stack, Text, Textarea } from "@chakra-ui/react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { answerOf, api } from "~/api/client";
import type { components } from "~/api/schema";
import { Trouble } from "~/parts/Trouble";
import { useSay } from "~/words/useSay";

/** What an audience is, in a person's words; who may, changes them in place. */
export function Description({ audience }: { audience: components["schemas"]["AudienceDetail"] }) {
  const say = useSay();
  const queries = useQueryClient();
  const known = audience.versions[0]?.description ?? "";
  const [text, setText] = useState<string>();
  const saving = useMutation({
    mutationFn: (description: string) =>
      answerOf(
        api.PATCH("/api/v1/audiences/{name}", {
          params: { path: { name: audience.name } },
          body: { description },
        }),
      ),
    onSuccess: () => {
      setText(undefined);
      return queries.invalidateQueries({ queryKey: ["audiences"] });
    },
  });
  if (text === undefined) {
    return (
      <HStack wrap="wrap" gap={3} alignItems="start">
        <Text whiteSpace="pre-line" color={known ? "fg" : "fg.muted"}>
          {known || say("audiences.no_description")}
        </Text>
        {audience.may_change ? (
          <Button size="xs" variant="outline" onClick={() => setText(known)}>
            {say("audiences.describe")}
          </Button>
        ) : (
          <Text color="fg.muted" fontSize="sm">
            {say("audiences.may_not")}
          </Text>
        )}
      </HStack>
    );
  }
  return (
    <Stack gap={2} maxW="40rem">
      <Field.Root>
        <Field.Label>{say("audiences.describe_title", { name: audience.name })}</Field.Label>
        <Textarea
          autoFocus
          maxLength={1000}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        <Field.HelperText>{say("audiences.describe_help")}</Field.HelperText>
      </Field.Root>
      {saving.isError && (
        <Trouble error={saving.error} what={say("audiences.describe_failed")} isWrite />
      )}
      <HStack>
        <Button
          size="sm"
          colorPalette="blue"
          loading={saving.isPending}
          onClick={() => saving.mutate(text)}
        >
          {say("audiences.describe_save")}
        </Button>
        <Button
          size="sm"
          variant="outline"
          disabled={saving.isPending}
          onClick={() => setText(undefined)}
        >
          {say("common.cancel")}
        </Button>
      </HStack>
    </Stack>
  );
}
